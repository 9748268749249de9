"""`callrace advertisers`: the buyers of calls."""

from __future__ import annotations

import click

from ari_app.cli.desk import add_common_commands, change, given
from ari_app.cli.output import json_option
from ari_app.desk import documents


@click.group()
def advertisers() -> None:
    """Add, see and remove advertisers: the buyers of calls."""


@advertisers.command("add")
@click.argument("name", metavar="ID")
@click.option("--name", "title", required=True, help="For people to read.")
@click.option("--timezone", metavar="ZONE", help="Such as America/New_York; default: UTC.")
@click.option("--dispute-window", metavar="DURATION", help="How long a charge may be disputed, such as 7d.")
@click.option(
    "--billing",
    type=click.Choice(["prepaid", "postpaid"]),
    help="How calls are paid for; default: funds are not looked at.",
)
@click.option("--credit-limit", metavar="AMOUNT", help="How much a postpaid advertiser may owe.")
@json_option
def add_(
    name: str,
    title: str,
    timezone: str | None,
    dispute_window: str | None,
    billing: str | None,
    credit_limit: str | None,
    as_json: bool,
) -> None:
    """Add the advertiser ID to the marketplace in force.

    \b
    Examples:
      callrace advertisers add acme --name "Acme Plumbing" --timezone America/New_York --billing prepaid
      callrace advertisers add bolt --name "Bolt Electric" --billing postpaid --credit-limit 5000.00
    """
    entry = given(
        name=title,
        timezone=timezone,
        dispute_window=dispute_window,
        billing=given(model=billing, credit_limit=credit_limit),
    )
    change(lambda site, actor: documents.add(site, actor, "advertisers", name, entry), as_json)


add_common_commands(
    advertisers, "advertisers", "advertiser", "acme", ("name", "timezone", "dispute_window", "billing")
)
