"""`callrace agents`: destinations, listed, paused and resumed."""

from __future__ import annotations

import click

from ari_app.cli.common import acting, reason_given, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import agents as desk
from ari_app.views.agents import COLUMNS, agent_json, pause_json
from ari_app.views.sections import listed


@click.group()
def agents() -> None:
    """See the destinations that take calls; pause and resume them."""


@agents.command("list")
@click.option("--advertiser", metavar="ID", help="Only this advertiser's.")
@json_option
def list_(advertiser: str | None, as_json: bool) -> None:
    """List the destinations: how they are dialled, how many calls they take and have, who is paused.

    `in use` is known only while a switch runs.

    \b
    Examples:
      callrace agents list
      callrace agents list --advertiser acme-plumbing --json
    """
    found = desk.listed(site(), advertiser)
    rows = [
        agent_json(name, destination, found.in_use, found.pauses)
        for name, destination in found.destinations.items()
    ]
    if as_json:
        show_json(rows)
    elif not rows:
        click.echo("no agents")
    else:
        show_table(*listed(COLUMNS, rows))


@agents.command()
@click.argument("agent")
@click.option(
    "--reason",
    required=True,
    callback=reason_given,
    help="Why; kept with the pause and said by `calls explain`.",
)
@json_option
def pause(agent: str, reason: str, as_json: bool) -> None:
    """Offer AGENT no calls until it is resumed. Its present call goes on.

    \b
    Example:
      callrace agents pause agent-1 --reason "lunch"
    """
    desk.pause(site(), acting(), agent, reason)
    tell(pause_json(agent, reason), f"{agent} is paused: {reason}", as_json)


@agents.command()
@click.argument("agent")
@json_option
def resume(agent: str, as_json: bool) -> None:
    """Offer AGENT calls again.

    \b
    Example:
      callrace agents resume agent-1
    """
    desk.resume(site(), acting(), agent)
    tell(pause_json(agent, None), f"{agent} is offered calls again", as_json)
