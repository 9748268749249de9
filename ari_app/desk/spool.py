"""The spool: ended calls that are not yet saved in the database."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.calls.spooled import Spooled
from ari_app.settings import Settings
from ari_app.store.calls import writer
from ari_app.store.calls.spool import Spool
from ari_app.store.db import auditlog
from ari_app.store.db.engine import writing


@dataclass(frozen=True, slots=True)
class Retried:
    """How many calls were saved, and how many could not be saved."""

    saved: int
    left: int


def kept(settings: Settings) -> list[Spooled]:
    """The calls that wait to be saved, and the calls that were refused, each with the reason."""
    return Spool(settings.spool).kept()


def retry(site: Site, actor: Actor) -> Retried:
    """Saves the calls in the spool now, as a running switch does, and tries the refused ones again.

    Raises StoreError.
    """
    spool = Spool(site.settings.spool)
    saved = writer.empty(site.engine, spool)
    if saved:
        with writing(site.engine) as connection:
            auditlog.note(connection, Entry(site.now(), str(actor), "spool.retry", "", {"saved": saved}))
    return Retried(saved, len(spool.kept()))
