"""`callrace destinations`: the phones and places that take calls."""

from __future__ import annotations

import click

from ari_app.cli.apply import show_change
from ari_app.cli.common import acting, site
from ari_app.cli.desk import add_common_commands, change, given, names
from ari_app.cli.output import json_option
from ari_app.desk import destinations as desk
from ari_app.desk import documents


@click.group()
def destinations() -> None:
    """Add, see, move and remove destinations: agents' phones and buyers' places. `callrace agents` pauses them."""


@destinations.command("add")
@click.argument("name", metavar="ID")
@click.option("--advertiser", metavar="ID", required=True, help="Whose it is.")
@click.option("--uri", metavar="SIP-URI", help="Dial this address,")
@click.option("--extension", metavar="ID", help="or this registered phone,")
@click.option("--phone", metavar="NUMBER", help="or this number, by a --trunk.")
@click.option("--trunk", metavar="ID", help="The trunk to dial the --phone by.")
@click.option("--anywhere", is_flag=True, help="Takes every caller,")
@click.option("--states", metavar="NY,NJ", callback=names, help="or those of these states,")
@click.option("--zips", metavar="10001,10002", callback=names, help="these ZIP codes,")
@click.option("--area-codes", metavar="212,646", callback=names, help="these area codes,")
@click.option("--zip", "zip_", metavar="ZIP", help="or around this ZIP code,")
@click.option("--radius-miles", type=float, metavar="MILES", help="within so many miles.")
@click.option(
    "--open", "open_", metavar="HOURS", multiple=True, help='When it takes calls: "mon-fri 08:00-20:00".'
)
@click.option("--timezone", metavar="ZONE", help="Of --open; default: the advertiser's.")
@click.option("--capacity", type=int, metavar="CALLS", help="Calls at once; default: 1.")
@click.option("--priority", type=int, metavar="N", help="Lower is offered first; default: 1.")
@click.option("--weight", type=int, metavar="N", help="Among the same priority; default: 1.")
@json_option
def add_(
    name: str,
    advertiser: str,
    uri: str | None,
    extension: str | None,
    phone: str | None,
    trunk: str | None,
    anywhere: bool,
    states: list[str] | None,
    zips: list[str] | None,
    area_codes: list[str] | None,
    zip_: str | None,
    radius_miles: float | None,
    open_: tuple[str, ...],
    timezone: str | None,
    capacity: int | None,
    priority: int | None,
    weight: int | None,
    as_json: bool,
) -> None:
    """Add the destination ID to the marketplace in force: how it is dialled, and which callers it takes.

    \b
    Examples:
      callrace destinations add agent-1 --advertiser acme --uri sip:agent-1@127.0.0.1:5071 --states NY,NJ
      callrace destinations add night-desk --advertiser acme --extension agent-101 --anywhere --capacity 3
      callrace destinations add shop --advertiser acme --phone +12125550123 --trunk main \\
          --zip 10001 --radius-miles 50 --open "mon-fri 08:00-20:00" --open "sat 10:00-14:00"
    """
    covers = given(
        anywhere=anywhere or None,
        states=states,
        zips=zips,
        area_codes=area_codes,
        zip=zip_,
        radius_miles=radius_miles,
    )
    entry = {
        "advertiser": advertiser,
        "dial": given(uri=uri, extension=extension, phone=phone, trunk=trunk),
        "covers": covers,
        **given(
            hours=given(open=list(open_), timezone=timezone),
            capacity=capacity,
            priority=priority,
            weight=weight,
        ),
    }
    change(lambda site, actor: documents.add(site, actor, "destinations", name, entry), as_json)


@destinations.command()
@click.argument("name", metavar="ID")
@click.option("--advertiser", metavar="NEW", required=True, help="Whose it is to be.")
@json_option
def move(name: str, advertiser: str, as_json: bool) -> None:
    """Make the destination ID another advertiser's, from now on.

    Calls under way go on as they began. Records, reports and bills keep the advertiser that each call had. The move
    is refused while campaigns of the old advertiser route to the destination; the message names them. Capacity, hours,
    caps and a pause stay. Times in the old advertiser's time zone are then in the new one's, which is printed.

    \b
    Example:
      callrace destinations move agent-1 --advertiser bolt
    """
    asked = site()
    moved = desk.move(asked, acting(), name, advertiser)
    show_change(asked.settings, moved.changed, as_json)
    if moved.timezones is not None:
        was, is_now = moved.timezones
        click.echo(f"its hours and caps are in {is_now} now, no more in {was}", err=True)


add_common_commands(
    destinations,
    "destinations",
    "destination",
    "agent-1",
    ("advertiser", "dial", "covers", "capacity", "priority", "weight"),
)
