"""`callrace qualify`: past calls, judged under other terms."""

from __future__ import annotations

from typing import TextIO

import click

from ari_app.cli.common import moment, now_ms, site, text_of
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.desk import qualify as desk
from ari_app.domain.terms.replay import Rejudged, sums
from ari_app.settings import Settings
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
    """Judge past calls again under the terms in a FILE. Nothing is changed and no money moves.

    It shows for each campaign how many calls were payable and how many would be, and the difference in money, net of
    corrections; then the calls with another result. Of a call's new amounts, the same proportion counts as reversed.
    To recognize repeat callers, calls before `--since` are read, too.

    \b
    Examples:
      callrace export > draft.yaml       # then change what a campaign qualifies
      callrace qualify replay --since 2026-11-01 --terms draft.yaml
    """
    terms = desk.other_terms(Settings.from_env(), text_of(file), file.name, now_ms(), campaign)
    found = desk.judge_again(site(), terms, since=since, until=until)
    rejudged, currencies = list(found.calls), found.currencies
    if as_json:
        show_json(replay_json(rejudged, currencies))
    elif not rejudged:
        click.echo("no calls of these campaigns in that time")
    else:
        _show(rejudged, currencies)


def _show(rejudged: list[Rejudged], currencies: Currencies) -> None:
    show_table(SUM_COLUMNS, [sum_row(name, *pair, currencies[name]) for name, pair in sums(rejudged).items()])
    changed = [call for call in rejudged if call.is_changed]
    show_title(f"Calls that would be judged otherwise: {len(changed)} of {len(rejudged)}")
    if changed:
        show_table(CHANGE_COLUMNS, [change_row(call, currencies) for call in changed[:SHOWN]])
    if len(changed) > SHOWN:
        click.echo(f"and {len(changed) - SHOWN} more; --json has them all")
