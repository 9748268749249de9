"""`callrace visibility`: what each party sees, and the exceptions that the operator makes."""

from __future__ import annotations

import click

from ari_app.access.sights import TOPICS
from ari_app.cli.common import acting, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import visibility as desk
from ari_app.views.people import SIGHT_COLUMNS, sight_json
from ari_app.views.sections import listed


@click.group()
def visibility() -> None:
    """See what each party sees, widen it and narrow it."""


@visibility.command("list")
@click.option("--party", metavar="PARTY", help="As this one sees: advertiser, publisher:ID, ...")
@json_option
def list_(party: str | None, as_json: bool) -> None:
    """List how each kind of party sees each topic, and the exceptions; or how one party does.

    \b
    Examples:
      callrace visibility list
      callrace visibility list --party publisher:pacific --json
    """
    rows = [
        sight_json(row.party, row.topic, TOPICS[row.topic].about, row.sight, row.is_exception)
        for row in desk.listed(site(), party)
    ]
    if as_json:
        show_json(rows)
    else:
        show_table(*listed(SIGHT_COLUMNS, rows))


@visibility.command("set")
@click.argument("party")
@click.argument("topic", type=click.Choice(list(TOPICS)))
@click.argument("sight", type=click.Choice(["whole", "masked", "hidden", "default"]))
@json_option
def set_(party: str, topic: str, sight: str, as_json: bool) -> None:
    """Widen or narrow how a party, or each of a kind, sees a topic; `default` is as the table says.

    \b
    Examples:
      callrace visibility set publisher:pacific caller_numbers whole
      callrace visibility set advertiser recordings hidden
      callrace visibility set publisher:pacific caller_numbers default
    """
    desk.set_(site(), acting(), party, topic, None if sight == "default" else sight)
    value = {"party": party, "topic": topic, "sight": sight}
    tell(value, f"{party} sees {topic}: {sight}", as_json)
