"""`callrace keys`: what programs prove themselves by, to the API."""

from __future__ import annotations

import click

from ari_app.cli.common import acting, one_line, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import keys as desk
from ari_app.views.keys import COLUMNS, key_json
from ari_app.views.sections import listed


@click.group()
def keys() -> None:
    """Create, see and revoke the keys by which programs use the API."""


@keys.command()
@click.option("--party", default="operator", show_default=True, help="Whose: operator, advertiser:ID, ...")
@click.option("--purpose", required=True, callback=one_line, help="What it is for; shown in lists.")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may do, such as calls:read.")
@click.option("--days", type=int, default=desk.DAYS, show_default=True, help="For how long it is good.")
@json_option
def create(party: str, purpose: str, scopes: tuple[str, ...], days: int, as_json: bool) -> None:
    """Create a key for one party and one purpose. It is shown now, and never again: only a hash of it is kept.

    A key sees what its party sees, and may do what its scopes say of that.

    \b
    Examples:
      callrace keys create --purpose "nightly export" --scope calls:read --scope ledger:read
      callrace keys create --party advertiser:acme --purpose CRM --scope conversions:write --days 90
    """
    key, secret = desk.create(site(), acting(), party=party, purpose=purpose, scopes=scopes, days=days)
    tell(key_json(key) | {"key": secret}, f"key {key.id} of {key.party}:\n{secret}", as_json)


@keys.command("list")
@click.option("--party", help="Only this party's.")
@json_option
def list_(party: str | None, as_json: bool) -> None:
    """List the keys, revoked and expired ones too, with when each was last used.

    \b
    Example:
      callrace keys list --party advertiser:acme
    """
    found = [key_json(key) for key in desk.listed(site(), party)]
    if as_json:
        show_json(found)
    elif not found:
        click.echo("no keys")
    else:
        shown = [{**key, "scopes": " ".join(key["scopes"])} for key in found]
        show_table(*listed(COLUMNS, shown))


@keys.command()
@click.argument("key_id", metavar="ID", type=int)
@json_option
def revoke(key_id: int, as_json: bool) -> None:
    """End a key at once.

    \b
    Example:
      callrace keys revoke 3
    """
    desk.revoke(site(), acting(), key_id)
    tell({"id": key_id}, f"key {key_id} is revoked", as_json)
