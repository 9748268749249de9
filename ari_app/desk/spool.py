"""Settled calls that the database has not taken yet."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.desk.site import Site
from ari_app.domain.calls.spooled import Spooled
from ari_app.settings import Settings
from ari_app.store.calls import writer
from ari_app.store.calls.spool import Spool


@dataclass(frozen=True, slots=True)
class Retried:
    """How many calls were saved, and how many the database has not taken."""

    saved: int
    left: int


def kept(settings: Settings) -> list[Spooled]:
    """The calls that wait, and those that were refused with the reason."""
    return Spool(settings.spool).kept()


def retry(site: Site) -> Retried:
    """Saves what is in the spool now, as a running switch does, and what was refused, too. Raises StoreError."""
    spool = Spool(site.settings.spool)
    saved = writer.empty(site.engine, spool)
    return Retried(saved, len(spool.kept()))
