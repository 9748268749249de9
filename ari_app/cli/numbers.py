"""`callrace numbers`: tracking numbers, and whose they are and were."""

from __future__ import annotations

import click

from ari_app.cli.common import Refused, database, marketplace_in_force, phone_number
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.domain.clock import iso
from ari_app.store import numbers as stored


@click.group()
def numbers() -> None:
    """Look at tracking numbers: whose they are, and whose they were."""


@numbers.command("list")
@click.option("--campaign", metavar="ID", help="Only this campaign's.")
@click.option("--publisher", metavar="ID", help="Only this publisher's.")
@click.option("--history", "did", metavar="DID", callback=phone_number, help="All that one number ever was.")
@json_option
def list_(campaign: str | None, publisher: str | None, did: str | None, as_json: bool) -> None:
    """List the tracking numbers of the marketplace in force, or the history of one.

    \b
    Examples:
      callrace numbers list --publisher homefix
      callrace numbers list --history +18005550101
    """
    if did is not None:
        if campaign or publisher:
            raise click.UsageError("--history takes no --campaign or --publisher")
        _show_history(did, as_json)
        return
    marketplace = marketplace_in_force(database()).marketplace
    rows = [
        {"did": did, "campaign": number.campaign, "publisher": number.publisher, "source": number.source}
        for did, number in sorted(marketplace.numbers.items())
        if campaign in (None, number.campaign) and publisher in (None, number.publisher)
    ]
    if as_json:
        show_json(rows)
    elif not rows:
        click.echo("no numbers")
    else:
        show_table(("number", "campaign", "publisher", "source"), [list(row.values()) for row in rows])


def _show_history(did: str, as_json: bool) -> None:
    history = stored.history(database(), did)
    if not history:
        raise Refused(f"{did} never was a tracking number here")
    rows = [
        {
            "did": entry.did,
            "campaign": entry.campaign,
            "publisher": entry.publisher,
            "source": entry.source,
            "from": iso(entry.from_at),
            "to": iso(entry.to_at),
        }
        for entry in history
    ]
    if as_json:
        show_json(rows)
    else:
        columns = ("number", "campaign", "publisher", "source", "from", "to")
        show_table(columns, [list(row.values()) for row in rows])
