"""`callrace campaigns`: an advertiser's standing orders for calls, from draft to end."""

from __future__ import annotations

import click

from ari_app.cli.desk import add_common_commands, change, given
from ari_app.cli.output import json_option
from ari_app.desk import campaigns as desk
from ari_app.desk.documents import Document


@click.group()
def campaigns() -> None:
    """Create campaigns, change their fields, start, pause and end them.

    A campaign is a draft, then live, paused and live again, and at last ended, for good.
    """


@campaigns.command()
@click.argument("name", metavar="ID")
@click.argument("assignments", metavar="[FIELD=VALUE]...", nargs=-1)
@click.option("--advertiser", metavar="ID", required=True, help="Who buys the calls.")
@click.option("--price", metavar="AMOUNT", required=True, help="What the advertiser is charged for a call.")
@click.option("--payout", metavar="AMOUNT", required=True, help="What the publisher earns by it.")
@click.option("--currency", metavar="CODE", help="Of all its money; default: the marketplace's.")
@click.option("--flow", metavar="ID", help="The IVR flow that callers go through.")
@click.option(
    "--wave", "waves", metavar="IDS", multiple=True, help="Destinations rung together; again: the next."
)
@json_option
def create(
    name: str,
    assignments: tuple[str, ...],
    advertiser: str,
    price: str,
    payout: str,
    currency: str | None,
    flow: str | None,
    waves: tuple[str, ...],
    as_json: bool,
) -> None:
    """Create the campaign ID as a draft. It takes calls once it is started.

    Further fields are given as to `callrace campaigns set`.

    \b
    Examples:
      callrace campaigns create plumbing --advertiser acme --price 42.00 --payout 30.00 \\
          --flow intake --wave agent-1,agent-2 --wave overflow "qualify=[{connected_at_least: 90s}]"
      callrace campaigns create night --advertiser acme --price 42.00 --payout 30.00
    """
    entry: Document = {
        "advertiser": advertiser,
        "price": price,
        "payout": payout,
        **given(currency=currency, flow=flow),
    }
    if waves:
        entry["route"] = {"waves": [{"destinations": wave.split(",")} for wave in waves]}
    change(lambda site, actor: desk.create(site, actor, name, entry, assignments), as_json)


@campaigns.command("set")
@click.argument("name", metavar="ID")
@click.argument("assignments", metavar="FIELD=VALUE...", nargs=-1, required=True)
@json_option
def set_(name: str, assignments: tuple[str, ...], as_json: bool) -> None:
    """Set fields of the campaign ID, each named by its path. Values are YAML.

    An empty value removes the field, so its default holds again. An item of a list is named by its index.
    Changed terms are a new version; calls under way keep the version that they began with. Staged terms whose start
    has passed are made the campaign's terms first.

    \b
    Examples:
      callrace campaigns set plumbing price=45.00 route.ring_timeout=20s
      callrace campaigns set plumbing "route.waves[1]={destinations: [overflow], after: 12s}"
      callrace campaigns set plumbing "hours={open: ['mon-fri 08:00-20:00']}" screen.announce=
    """
    change(lambda site, actor: desk.set_fields(site, actor, name, assignments), as_json)


@campaigns.command()
@click.argument("name", metavar="ID")
@json_option
def start(name: str, as_json: bool) -> None:
    """Make the campaign ID live, from a draft or a pause. Refused when no call could work under it.

    \b
    Example:
      callrace campaigns start plumbing
    """
    change(lambda site, actor: desk.become(site, actor, name, "live"), as_json)


@campaigns.command()
@click.argument("name", metavar="ID")
@json_option
def pause(name: str, as_json: bool) -> None:
    """Take no more calls for the campaign ID until it is started again. Calls under way go on.

    \b
    Example:
      callrace campaigns pause plumbing
    """
    change(lambda site, actor: desk.become(site, actor, name, "paused"), as_json)


@campaigns.command()
@click.argument("name", metavar="ID")
@json_option
def end(name: str, as_json: bool) -> None:
    """End the campaign ID for good. Calls under way go on; records and money are kept.

    \b
    Example:
      callrace campaigns end plumbing
    """
    change(lambda site, actor: desk.become(site, actor, name, "ended"), as_json)


add_common_commands(
    campaigns, "campaigns", "campaign", "plumbing", ("status", "advertiser", "price", "payout", "flow")
)
