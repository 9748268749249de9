"""The audit log: who did what."""

from __future__ import annotations

from ari_app.desk import checked
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog


def listed(site: Site, limit: int, *, actor: str | None = None, subject: str | None = None) -> list[Entry]:
    """The newest lines, newest first; only those of this actor or subject where given. Raises Refused, StoreError."""
    for name, asked in (("actor", actor), ("subject", subject)):
        if asked is not None:
            checked.word(asked, name)
    return auditlog.newest(site.engine, checked.limit(limit), actor=actor, subject=subject)
