"""What use cases act on, where they need nothing but a database and the time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from ari_app.access.actor import operator
from ari_app.desk import numbers
from ari_app.desk.site import Site
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.inventory import Wanted
from ari_app.settings import Settings


def site_at(engine: Engine, now: int) -> Site:
    """The exchange of this database at a moment (ms); it has no home."""
    return Site(Settings(Path("/nonexistent"), str(engine.url)), engine, lambda: now)


def assign(site: Site, number: Number, wanted: Wanted) -> str:
    """Gives a number to whose it is to be; it does not matter who acts."""
    whose = {"campaign": number.campaign, "publisher": number.publisher, "source": number.source}
    return numbers.assign(site, operator("ada"), **whose, wanted=wanted)  # type: ignore[arg-type]
