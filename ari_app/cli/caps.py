"""`callrace caps`: limits on calls, and what is left of each."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ari_app.cli.common import database, marketplace_in_force, now_ms
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.domain import caps as domain
from ari_app.domain.caps import Owner
from ari_app.domain.clock import iso
from ari_app.domain.marketplace import Cap, Marketplace
from ari_app.domain.money import format_amount
from ari_app.store import reservations
from ari_app.store.reservations import Usage


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
    engine, now = database(), now_ms()
    marketplace = marketplace_in_force(engine).marketplace
    found = [
        (whose, cap)
        for whose in domain.owners(marketplace)
        for cap in whose.caps
        if owner in (None, whose.id)
    ]
    usage = reservations.usage(engine, {domain.current(whose, cap, now).start for whose, cap in found})
    rows = list(_rows(marketplace, found, usage, now))
    if as_json:
        show_json(rows)
    elif not rows:
        click.echo("no caps")
    else:
        columns = ("owner", "id", "cap", "used", "reserved", "left", "resets at")
        show_table(columns, [[row[name.replace(" ", "_")] for name in columns] for row in rows])


def _rows(
    marketplace: Marketplace,
    found: list[tuple[Owner, Cap]],
    usage: dict[tuple[str, int], Usage],
    now: int,
) -> Iterator[dict[str, object]]:
    currency = marketplace.currency
    for whose, cap in found:
        period = domain.current(whose, cap, now)
        counter = usage.get((domain.key(whose, cap), period.start), Usage(0, 0))
        left = max(domain.limit(cap) - counter.used - counter.reserved, 0)
        shown = [
            number if cap.max_amount is None else format_amount(number, currency)
            for number in (domain.limit(cap), counter.used, counter.reserved, left)
        ]
        yield {
            "owner": whose.kind,
            "id": whose.id,
            "key": domain.key(whose, cap),
            "cap": domain.describe(cap, currency),
            **dict(zip(("limit", "used", "reserved", "left"), shown, strict=True)),
            "period_start": iso(period.start) if period.end is not None else None,
            "resets_at": iso(period.end),
        }
