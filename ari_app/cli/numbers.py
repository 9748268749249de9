"""`callrace numbers`: tracking numbers, their stock, and to whom they are and were assigned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TextIO, TypeVar

import click

from ari_app.cli.common import acting, one_line, owned_id, phone_number, site, text_of
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.desk import numbers as desk
from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.inventory import COLUMNS as FILE_COLUMNS
from ari_app.domain.numbers.inventory import Wanted
from ari_app.views.numbers import (
    COLUMNS,
    HISTORY_COLUMNS,
    STOCK_COLUMNS,
    assigned_json,
    assignment_json,
    holding_json,
    released_json,
    shelf_json,
    shelf_row,
)
from ari_app.views.sections import listed

_Command = TypeVar("_Command", bound=Callable[..., Any])


def wanted_options(command: _Command) -> _Command:
    """Adds the options `--state` and `--kind`, which choose a number."""
    state = click.option(
        "--state", type=click.Choice(sorted(STATE_NAMES)), metavar="STATE", help="A local number of it."
    )
    kind = click.option("--kind", type=click.Choice(["local", "tollfree"]), help="A number of this kind.")
    return state(kind(command))


def wanted(state: str | None, kind: Any, did: str | None = None) -> Wanted:
    """The number that those options ask for. Raises UsageError when they contradict each other."""
    if did is not None and (state or kind):
        raise click.UsageError("--did takes no --state or --kind")
    if state and kind == "tollfree":
        raise click.UsageError("a tollfree number is of no state; leave out --state or --kind")
    return Wanted(did, kind, state)


@click.group()
def numbers() -> None:
    """Look at tracking numbers; import, assign and release them."""


@numbers.command("list")
@click.option("--campaign", metavar="ID", help="Only this campaign's.")
@click.option("--publisher", metavar="ID", help="Only this publisher's.")
@click.option("--state", metavar="STATE", help="Only local ones of this state.")
@click.option("--kind", type=click.Choice(["local", "tollfree"]), help="Only of this kind.")
@click.option(
    "--status",
    type=click.Choice(["assigned", "free", "quarantined", "any"]),
    help="What they are; assigned unless given.",
    default="assigned",
)
@click.option("--history", "did", metavar="DID", callback=phone_number, help="All that one number ever was.")
@json_option
def list_(
    campaign: str | None,
    publisher: str | None,
    state: str | None,
    kind: Any,
    status: Any,
    did: str | None,
    as_json: bool,
) -> None:
    """List the tracking numbers of the marketplace in force, those in stock, or the history of one.

    Kind, state and trunk are known only for imported numbers.

    \b
    Examples:
      callrace numbers list --publisher homefix
      callrace numbers list --status free --state NY
      callrace numbers list --history +18005550101
    """
    if did is not None:
        if campaign or publisher or state or kind:
            raise click.UsageError("--history takes no other option but --json")
        _show_history(did, as_json)
        return
    asked = desk.Asked(campaign, publisher, state, kind, None if status == "any" else status)
    rows = [holding_json(*found) for found in desk.listed(site(), asked)]
    if as_json:
        show_json(rows)
    elif not rows:
        click.echo("no numbers")
    else:
        show_table(*listed(COLUMNS, rows))


@numbers.command()
@click.argument("did", metavar="DID", callback=phone_number)
@json_option
def history(did: str, as_json: bool) -> None:
    """List all assignments of the number DID, with their times: a call is attributed by the one at its time.

    \b
    Example:
      callrace numbers history +12125550100
    """
    _show_history(did, as_json)


def _columns(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """The values of options such as `did=phone_number`; any other text is wrong usage."""
    named = {}
    for value in values:
        column, is_one, name = value.partition("=")
        if column not in FILE_COLUMNS or not is_one or not name.strip():
            raise click.BadParameter(
                f"expected one of {', '.join(FILE_COLUMNS)}, =, and its name in the file"
            )
        named[column] = name.strip()
    return named


@numbers.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option(
    "--trunk", metavar="ID", callback=owned_id, help="The trunk of numbers for which the file names none."
)
@click.option(
    "--column",
    "columns",
    metavar="OURS=NAME",
    multiple=True,
    callback=_columns,
    help="What one of our columns is named in the file; again for each.",
)
@json_option
def import_(file: TextIO, trunk: str | None, columns: dict[str, str], as_json: bool) -> None:
    """Add the numbers in FILE (CSV; - is stdin) to the stock that `assign` takes from.

    Fields may be separated by commas, semicolons or tabs. The columns are did, kind (local or tollfree), region (the
    state of a local number) and trunk, in any order; other columns are ignored. A number may have 10 or 11 digits, or
    be written as people do; a state may be a name. A missing kind or region is derived from the number. If there is any
    mistake, nothing is imported, and each mistake is shown with its line. The same file again changes nothing. A number
    that is in stock already is updated, and keeps its assignment.

    \b
    Examples:
      printf 'did,kind,region,trunk\\n+12125550100,local,NY,main\\n' | callrace numbers import -
      callrace numbers import carrier.csv --column "did=TN" --trunk main
    """
    text = text_of(file)
    imported = desk.import_(site(), acting(), text, file.name, trunk=trunk, columns=columns)
    if as_json:
        show_json({"added": imported.added, "changed": imported.changed, "same": imported.same})
    else:
        click.echo(f"added {imported.added}, changed {imported.changed}, as they were {imported.same}")


@numbers.command()
@click.option("--campaign", metavar="ID", required=True, callback=owned_id, help="What its calls are for.")
@click.option("--publisher", metavar="ID", required=True, callback=owned_id, help="Whose it is to be.")
@click.option("--source", metavar="TEXT", callback=one_line, help="The placement that it is shown on.")
@wanted_options
@click.option("--did", metavar="DID", callback=phone_number, help="This number and no other.")
@json_option
def assign(
    campaign: str,
    publisher: str,
    source: str | None,
    state: str | None,
    kind: str | None,
    did: str | None,
    as_json: bool,
) -> None:
    """Assign a free number to a publisher for a campaign: the number that was unused for longest.

    A running switch knows it within 2 s. The assignment stays through every apply, unless the file gives the number
    to somebody else.

    \b
    Examples:
      callrace numbers assign --campaign plumbing --publisher homefix --state NY --source radio
      callrace numbers assign --campaign plumbing --publisher homefix --did +12125550100
    """
    asked = wanted(state, kind, did)
    given = desk.assign(site(), acting(), campaign=campaign, publisher=publisher, source=source, wanted=asked)
    if as_json:
        show_json(assigned_json(given, Number(campaign, publisher, source)))
    else:
        click.echo(f"{given} is {publisher}'s for {campaign}")


@numbers.command()
@click.argument("did", metavar="DID", callback=phone_number)
@json_option
def release(did: str, as_json: bool) -> None:
    """Take DID back from its publisher. It is in quarantine before it is assigned again (numbers_policy.quarantine).

    From now on its calls are attributed to nobody; a call under way keeps its attribution. A number that is in
    the marketplace's file must be removed from the file instead.

    \b
    Example:
      callrace numbers release +12125550100
    """
    held, free_from = desk.release(site(), acting(), did)
    if as_json:
        show_json(released_json(did, held, free_from))
    else:
        click.echo(
            f"{did} is no longer {held.publisher}'s for {held.campaign}; it rests until {iso(free_from)}"
        )


@numbers.command()
@json_option
def stock(as_json: bool) -> None:
    """Count the imported numbers by kind and state: free, assigned, in quarantine.

    A warning is shown when fewer are free than numbers_policy.low_stock.

    \b
    Example:
      callrace numbers stock
    """
    found = desk.stock(site())
    if as_json:
        show_json([shelf_json(shelf, found.low_stock) for shelf in found.shelves])
        return
    if not found.shelves:
        click.echo("no numbers were imported; see `callrace numbers import --help`")
        return
    show_table(STOCK_COLUMNS, map(shelf_row, found.shelves))
    for shelf in found.shelves:
        if shelf.free < found.low_stock:
            click.echo(f"low stock: {shelf}, {shelf.free} free, fewer than {found.low_stock}", err=True)


def _show_history(did: str, as_json: bool) -> None:
    rows = [assignment_json(entry) for entry in desk.history(site(), did)]
    if as_json:
        show_json(rows)
    else:
        show_table(*listed(HISTORY_COLUMNS, rows))
