"""`callrace people`: who can sign in on the web, and as what."""

from __future__ import annotations

import click

from ari_app.access.parties import Person
from ari_app.cli.common import acting, site
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import people as desk
from ari_app.desk.people import Handed
from ari_app.desk.signin import party_named
from ari_app.views import people as views
from ari_app.views.words import second

_ROLES = ("owner", "manager", "finance", "read_only", "agent")
party_option = click.option(
    "--party",
    metavar="PARTY",
    required=True,
    help="operator, advertiser:ID, publisher:ID or agent:DESTINATION.",
)


@click.group()
def people() -> None:
    """See who can sign in on the web, invite and remove people."""


@people.command("list")
@click.option("--party", metavar="PARTY", help="Only this one's: operator, advertiser:ID, ...")
@json_option
def list_(party: str | None, as_json: bool) -> None:
    """List who can sign in, with their parties and roles.

    \b
    Examples:
      callrace people list
      callrace people list --party advertiser:acme --json
    """
    found = desk.listed(site(), None if party is None else party_named(party))
    if as_json:
        show_json([views.person_json(*_fields(person)) for person in found])
    elif not found:
        click.echo("nobody")
    else:
        show_table(views.COLUMNS, [row for person in found for row in views.person_rows(*_fields(person))])


@people.command()
@click.argument("email")
@party_option
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    required=True,
    help="Of the operator: owner, manager, finance, read_only. Of an advertiser or publisher: manager, read_only. "
    "Of an agent: agent.",
)
@json_option
def invite(email: str, party: str, role: str, as_json: bool) -> None:
    """Invite somebody to a party; prints the link to send them.

    It is good for seven days, and once. Who is in other parties already keeps the one password.

    \b
    Examples:
      callrace people invite ada@example.com --party operator --role owner
      callrace people invite joe@acme.example --party advertiser:acme --role manager
    """
    _hand(desk.invite(site(), acting(), email, party, role), "join", as_json)


@people.command()
@click.argument("email")
@party_option
@json_option
def remove(email: str, party: str, as_json: bool) -> None:
    """Take somebody out of a party, or take an invitation back; their sessions end at once.

    \b
    Example:
      callrace people remove joe@acme.example --party advertiser:acme
    """
    desk.remove(site(), acting(), email, party)
    tell({"email": email, "party": party}, f"{email} is not in {party} any more", as_json)


@people.command("sign-in-link")
@click.argument("email")
@click.option(
    "--drop-authenticator",
    is_flag=True,
    help="For who has lost it: ask for no code any more, and end their sessions.",
)
@json_option
def sign_in_link(email: str, drop_authenticator: bool, as_json: bool) -> None:
    """Print a link by which somebody signs in once, without a password, within a quarter of an hour.

    For who has lost the password. Whoever has the link is let in, once they give the authenticator's code, if any.

    \b
    Examples:
      callrace people sign-in-link ada@example.com
      callrace people sign-in-link ada@example.com --drop-authenticator
    """
    handed = desk.sign_in_link(site(), acting(), email, drop_authenticator=drop_authenticator)
    _hand(handed, "enter", as_json)


def _hand(handed: Handed, page: str, as_json: bool) -> None:
    """Prints a link: its token stands behind `#`, where no server logs it."""
    link = f"/{page}#{handed.token}"
    until = f"good once, until {second(handed.expires_at)} UTC"
    tell(
        views.link_json(handed.email, link, handed.expires_at),
        f"{link}\nfor {handed.email}; {until}",
        as_json,
    )


def _fields(person: Person) -> tuple[str, str, list[tuple[str, str]], bool, bool, int]:
    of = [(str(one.party), str(one.role)) for one in person.memberships]
    return person.email, person.name, of, person.has_password, person.has_totp, person.created_at
