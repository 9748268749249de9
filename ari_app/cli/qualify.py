"""`callrace qualify`: recorded calls under other terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

import click

from ari_app.cli.common import Refused, database, moment, now_ms
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.domain.document.reading import parse
from ari_app.domain.market.staging import in_force
from ari_app.domain.terms.repeats import longest_window
from ari_app.domain.terms.replay import Rejudged, replay, sums
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls import calls
from ari_app.store.money import corrections
from ari_app.views.replay import CHANGE_COLUMNS, SUM_COLUMNS, Currencies, change_row, replay_json, sum_row

SHOWN = 50  # calls in the table; --json has them all


@click.group()
def qualify() -> None:
    """Look at what makes calls payable."""


@qualify.command("replay")
@click.option(
    "--since", metavar="TIME", callback=moment, required=True, help="Calls that began then or later."
)
@click.option("--until", metavar="TIME", callback=moment, help="And before this; default: now.")
@click.option("--campaign", metavar="ID", help="Only this campaign's.")
@click.option(
    "--terms",
    "file",
    type=click.File("r", encoding="utf-8"),
    required=True,
    help="A marketplace in YAML whose campaigns have the other terms; - is stdin.",
)
@json_option
def replay_(since: int, until: int, campaign: str | None, file: TextIO, as_json: bool) -> None:
    """Judge recorded calls again under the terms in a FILE. Nothing is changed and no money moves.

    For each campaign: how many calls were payable and would be, and the difference in money, net of corrections;
    then the calls that would come to something else. What was taken back of a call would be in proportion.
    Repeat callers are told from the calls before `--since`, too.

    \b
    Examples:
      callrace export > draft.yaml       # then change what a campaign qualifies
      callrace qualify replay --since 2026-11-01 --terms draft.yaml
    """
    tables = geography.load(Settings.from_env().home)
    terms = in_force(parse(file.read(), file.name, geography=tables), now_ms())
    if campaign is not None and campaign not in terms.campaigns:
        raise Refused(f"{file.name} has no campaign {campaign}; it has: {', '.join(terms.campaigns)}")
    from_at = since - longest_window(terms.campaigns.values())
    engine = database()
    recorded = calls.between(engine, from_at, until)
    corrected = corrections.corrected(engine, from_at, until)
    rejudged = [
        call
        for call in replay(recorded, terms, tables, since, now_ms(), corrected)
        if call.before.campaign in (terms.campaigns if campaign is None else [campaign])
    ]
    currencies = {name: terms.currency_of(one) for name, one in terms.campaigns.items()}
    _refuse_other_money(rejudged, currencies, file.name)
    if as_json:
        show_json(replay_json(rejudged, currencies))
    elif not rejudged:
        click.echo("no calls of these campaigns in that time")
    else:
        _show(rejudged, currencies)


def _refuse_other_money(rejudged: Iterable[Rejudged], currencies: Currencies, file: str) -> None:
    """Money of two currencies is not compared."""
    for call in rejudged:
        name, money = call.before.campaign or "", call.before.money
        if money is not None and money.currency != currencies[name]:
            raise Refused(
                f"{file} has campaign {name} in {currencies[name]}, and its call {call.before.id} is in "
                f"{money.currency}; give it that currency to compare"
            )


def _show(rejudged: list[Rejudged], currencies: Currencies) -> None:
    show_table(SUM_COLUMNS, [sum_row(name, *pair, currencies[name]) for name, pair in sums(rejudged).items()])
    changed = [call for call in rejudged if call.is_changed]
    show_title(f"Calls that would be judged otherwise: {len(changed)} of {len(rejudged)}")
    if changed:
        show_table(CHANGE_COLUMNS, [change_row(call, currencies) for call in changed[:SHOWN]])
    if len(changed) > SHOWN:
        click.echo(f"and {len(changed) - SHOWN} more; --json has them all")
