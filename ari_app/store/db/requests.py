"""Requests that must not be done twice: each is written down before it is done, and again with what came of it.

So a sender that heard nothing may send it again, whoever of two processes gets it, and even if one of them died.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import requests


@dataclass(frozen=True, slots=True)
class Known:
    """A request that was begun at `at` (ms). `answer` is None until it is done."""

    fingerprint: str
    at: int
    answer: dict[str, Any] | None


@retried
def begin(engine: Engine, sender: str, key: str, fingerprint: str, now: int, kept_ms: int) -> Known | None:
    """Writes a request down and returns None; or returns what is known of it, if it was begun within `kept_ms`."""
    its = _its(sender, key)
    row = {"sender": sender, "key": key, "fingerprint": fingerprint, "at": now}
    try:
        with writing(engine) as connection:
            connection.execute(delete(requests).where(its, requests.c.at < now - kept_ms))
            connection.execute(insert(requests), row)
        return None
    except IntegrityError:
        with reading(engine) as connection:
            found = connection.execute(select(requests).where(its)).one_or_none()
    if found is None:  # it was given up at this moment
        return begin(engine, sender, key, fingerprint, now, kept_ms)
    return Known(found.fingerprint, found.at, json.loads(found.answer_json) if found.answer_json else None)


@retried
def finish(engine: Engine, sender: str, key: str, answer: dict[str, Any]) -> None:
    """Writes down what came of a request."""
    with writing(engine) as connection:
        done = update(requests).where(_its(sender, key)).values(answer_json=json.dumps(answer))
        connection.execute(done)


@retried
def give_up(engine: Engine, sender: str, key: str) -> None:
    """Forgets a request that did nothing, so that it may be sent again."""
    with writing(engine) as connection:
        connection.execute(delete(requests).where(_its(sender, key)))


@retried
def forget(engine: Engine, before: int) -> int:
    """Deletes the requests of before a moment (ms); returns how many."""
    with writing(engine) as connection:
        return connection.execute(delete(requests).where(requests.c.at < before)).rowcount


def _its(sender: str, key: str) -> ColumnElement[bool]:
    return and_(requests.c.sender == sender, requests.c.key == key)
