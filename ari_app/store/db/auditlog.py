"""Who did what, and when: a line for each use case that changed something, in the transaction of the change."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from ari_app.domain.basics.audit import Entry
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import audit_log


def note(connection: Connection, *entries: Entry | None) -> None:
    """Adds lines; an entry that is None adds none. Facts are JSON values."""
    rows = [_row(entry) for entry in entries if entry is not None]
    if rows:
        connection.execute(insert(audit_log), rows)


def note_each(connection: Connection, entry: Entry | None, subjects: Iterable[str]) -> None:
    """Adds a line for each subject to which the same was done; an entry that is None adds none."""
    if entry is not None:
        note(connection, *(replace(entry, subject=subject) for subject in subjects))


def _row(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in ("at", "actor", "use_case", "subject")}
    return row | {"facts_json": json.dumps(entry.facts, separators=(",", ":"), ensure_ascii=False)}


def newest(
    engine: Engine, limit: int, *, actor: str | None = None, subject: str | None = None
) -> list[Entry]:
    """The newest lines, newest first, `limit` at most; of all, of one actor, or of one subject."""
    table = audit_log.c
    wanted = {table.actor: actor, table.subject: subject}
    query = (
        select(table.at, table.actor, table.use_case, table.subject, table.facts_json)
        .where(*(column == value for column, value in wanted.items() if value is not None))
        .order_by(table.id.desc())
        .limit(limit)
    )
    with reading(engine) as connection:
        rows = connection.execute(query)
        return [Entry(r.at, r.actor, r.use_case, r.subject, json.loads(r.facts_json)) for r in rows]
