"""The audit log: who did what."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog


def listed(
    engine: Engine, limit: int, *, actor: str | None = None, subject: str | None = None
) -> list[Entry]:
    """The newest lines, at most `limit`, newest first; those of an actor, or of a subject. Raises StoreError."""
    return auditlog.newest(engine, limit, actor=actor, subject=subject)
