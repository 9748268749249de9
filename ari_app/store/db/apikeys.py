"""Programs' keys. A key itself is nowhere: it is found by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Engine, Row, insert, or_, select, update

from ari_app.domain.basics.apikeys import ApiKey
from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import api_keys

_FIELDS = tuple(field.name for field in fields(ApiKey))
_COLUMNS = tuple(api_keys.c[name] for name in _FIELDS)


@retried
def add(engine: Engine, key: ApiKey, hashed: str, entry: Entry) -> ApiKey:
    """Saves a key under its hash, and its line of the audit log; returns it with the id that it got."""
    row = {name: getattr(key, name) for name in _FIELDS if name != "id"}
    with writing(engine) as connection:
        saved = insert(api_keys).returning(*_COLUMNS)
        added = _key(connection.execute(saved, row | {"hash": hashed, "scopes": " ".join(key.scopes)}).one())
        auditlog.note(connection, replace(entry, subject=str(added.id)))
    return added


def every(engine: Engine) -> list[ApiKey]:
    """All keys, the oldest first; revoked and expired ones too."""
    with reading(engine) as connection:
        return _keys(connection.execute(select(*_COLUMNS).order_by(api_keys.c.id)).all())


def find(engine: Engine, hashed: str) -> ApiKey | None:
    """The key with this hash."""
    with reading(engine) as connection:
        found = _keys(connection.execute(select(*_COLUMNS).where(api_keys.c.hash == hashed)).all())
    return found[0] if found else None


@retried
def revoke(engine: Engine, id: int, at: int, entry: Entry) -> bool:
    """Ends a key; False when there is no such key, or it has ended already."""
    with writing(engine) as connection:
        its = update(api_keys).where(api_keys.c.id == id, api_keys.c.revoked_at.is_(None))
        if connection.execute(its.values(revoked_at=at)).rowcount == 0:
            return False
        auditlog.note(connection, entry)
    return True


@retried
def used(engine: Engine, id: int, at: int, every_ms: int) -> None:
    """Notes that a key was used at `at`, unless that was noted less than `every_ms` before."""
    since = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= at - every_ms)
    with writing(engine) as connection:
        connection.execute(update(api_keys).where(api_keys.c.id == id, since).values(last_used_at=at))


def _keys(rows: Sequence[Row[Any]]) -> list[ApiKey]:
    return [_key(row) for row in rows]


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**dict(row._mapping) | {"scopes": tuple(row.scopes.split())})
