"""`callrace caps`: limits on calls, and what is left of each."""

from __future__ import annotations

from collections.abc import Iterable

import click
from sqlalchemy import Engine

from ari_app.cli.common import database, marketplace_in_force, now_ms
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.domain.caps import counters as domain
from ari_app.domain.caps.counters import Owner
from ari_app.domain.caps.standing import Standing
from ari_app.store.limits import reservations
from ari_app.store.limits.reservations import Usage
from ari_app.views.caps import COLUMNS, cap_json, cap_row


@click.group()
def caps() -> None:
    """Look at caps: how many calls, or how much money, may still come."""


@caps.command("list")
@click.option("--owner", metavar="ID", help="Only the caps of what has this id.")
@json_option
def list_(owner: str | None, as_json: bool) -> None:
    """List every cap of the marketplace in force, with what is used and left of it now.

    `used` is what settled calls count, `reserved` what calls under way may come to. A call counts in the
    period in which it was offered, and periods begin in the owner's time zone.

    \b
    Examples:
      callrace caps list
      callrace caps list --owner emergency-plumbing --json
    """
    engine = database()
    marketplace = marketplace_in_force(engine).marketplace
    owners = [whose for whose in domain.owners(marketplace) if owner in (None, whose.id)]
    rows = list(map(cap_json, standing(engine, owners)))
    if as_json:
        show_json(rows)
    elif not rows:
        click.echo("no caps")
    else:
        show_table(COLUMNS, map(cap_row, rows))


def standing(engine: Engine, owners: Iterable[Owner]) -> list[Standing]:
    """The owners' caps with what is used and left of each now."""
    now = now_ms()
    found = [(whose, cap, domain.current(whose, cap, now)) for whose in owners for cap in whose.caps]
    usage = reservations.usage(engine, {period.start for *_, period in found})
    standing = []
    for whose, cap, period in found:
        its = usage.get((domain.key(whose, cap), period.start), Usage(0, 0))
        standing.append(Standing(whose, cap, period, its.used, its.reserved))
    return standing
