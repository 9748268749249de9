"""Caps: the limit of each, and how much of it is used and reserved now."""

from __future__ import annotations

from ari_app.desk.checked import word
from ari_app.desk.inforce import in_force
from ari_app.desk.site import Site
from ari_app.domain.caps.counters import current, key, owners
from ari_app.domain.caps.standing import Standing
from ari_app.store.limits.usage import Usage, usage_of


def standing(site: Site, *, owner: str | None = None) -> list[Standing]:
    """Every cap of the marketplace in force, with how much of it is used and reserved now.

    `owner`: only the caps of the campaign, party or destination with this id. Raises Refused.
    """
    owner = None if owner is None else word(owner, "owner")
    now, marketplace = site.now(), in_force(site.engine).marketplace
    chosen = (whose for whose in owners(marketplace) if owner in (None, whose.id))
    found = [(whose, cap, current(whose, cap, now)) for whose in chosen for cap in whose.caps]
    usage = usage_of(site.engine, {period.start for *_, period in found})
    standings = []
    for whose, cap, period in found:
        its = usage.get((key(whose, cap), period.start), Usage(0, 0))
        standings.append(Standing(whose, cap, period, its.used, its.reserved))
    return standings
