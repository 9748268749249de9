"""Does a request once, however often it is sent: its sender gives it a name, and the name is kept for a day.

A request whose end nobody knows, because a process died in it or the database was gone when it ended, is never done
again by itself: its sender has to look, and to give it another name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ari_app.desk import checked
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.errors import DocumentError
from ari_app.store.db import requests
from ari_app.store.db.errors import DatabaseBusy, MarketplaceMoved, NumbersInUse, StepRefused

KEPT_MS = 86_400_000
LONGEST_KEY = 255
AT_WORK_MS = 120_000
"""After this time a request that is not done is taken for one that died."""

NOTHING_DONE = (Refused, DocumentError, DatabaseBusy, MarketplaceMoved, NumbersInUse, StepRefused)
"""The errors after which nothing has changed: the same name may be used again."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request. `is_replayed`: it was done before, and not by this one."""

    answer: dict[str, Any]
    is_replayed: bool


def once(site: Site, sender: str, key: str, request: bytes, do: Callable[[], dict[str, Any]]) -> Done:
    """Does `do` unless `sender` had it done under this name within a day, and returns what came of it, then or now.

    `request` is all that is asked, to tell another request under the same name. Raises Refused, and what `do` raises.
    """
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        raise checked.invalid("Idempotency-Key", f"expected 1 to {LONGEST_KEY} printable characters")
    now, fingerprint = site.now(), sha256(request).hexdigest()
    known = requests.begin(site.engine, sender, key, fingerprint, now, KEPT_MS)
    if known is not None:
        if known.fingerprint != fingerprint:
            raise Refused(Code.KEY_OF_ANOTHER_REQUEST, key=key)
        if known.answer is None:
            is_at_work = now - known.at < AT_WORK_MS
            raise Refused(Code.REQUEST_AT_WORK if is_at_work else Code.REQUEST_OUTCOME_UNKNOWN, key=key)
        return Done(known.answer, is_replayed=True)
    try:
        answer = do()
    except NOTHING_DONE:
        requests.give_up(site.engine, sender, key)
        raise
    requests.finish(site.engine, sender, key, answer)
    return Done(answer, is_replayed=False)
