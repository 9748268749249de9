"""`callrace conversions`: converted calls, and calls that await a conversion."""

from __future__ import annotations

from typing import TextIO

import click

from ari_app.cli.common import acting, moment, one_line, site, text_of
from ari_app.cli.output import json_option, show_json, show_table, tell
from ari_app.desk import conversions as desk
from ari_app.desk.calls import with_money
from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.terms.conversions import Became, Converted
from ari_app.views.conversions import COLUMNS, conversion_json, row


@click.group()
def conversions() -> None:
    """Tell which calls became sales: a call with the clause `converted_within` is charged and paid by that.

    Until then its price is held. A conversion is told once a call; told again, it changes nothing.
    """


@conversions.command()
@click.argument("call_id", metavar="CALL")
@click.option("--at", metavar="TIME", callback=moment, help="When it became a sale; default: now.")
@click.option(
    "--ref", metavar="TEXT", callback=one_line, help="The sale's own name, such as an order's number."
)
@json_option
def post(call_id: str, at: int, ref: str | None, as_json: bool) -> None:
    """Report that CALL (its full id) became a sale.

    A call that awaits a conversion is judged by it at once. A sale within the call's deadline may be reported up to a
    day after the deadline. For any other call, the sale is only written into the record. A time more than five minutes
    ahead of this machine's clock is refused.

    \b
    Example:
      callrace conversions post 001a2121c0b5db7bdb2bfd2 --at 2026-11-24T09:30-05:00 --ref order-4711
    """
    asked = site()
    outcome = desk.post(asked, acting(), call_id, at=at, ref=ref)
    if as_json:
        [found] = with_money(asked, [outcome.record])
        show_json(conversion_json(found.record, found.transfers) | {"became": outcome.became})
    else:
        click.echo(_said(outcome))


@conversions.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@json_option
def import_(file: TextIO, as_json: bool) -> None:
    """Report the conversions in FILE (CSV; - is stdin).

    The columns are call (its full id), at (a time) and ref (the sale's own name, or empty). If there is any mistake,
    nothing is recorded, and each mistake is shown with its line. If this was stopped half-way, the same file again
    records the rest. A file that was recorded before changes nothing.

    \b
    Example:
      printf 'call,at,ref\\n001a2121c0b5db7bdb2bfd2,2026-11-24T09:30-05:00,4711\\n' | callrace conversions import -
    """
    outcomes = desk.import_(site(), acting(), text_of(file), file.name)
    kinds: tuple[Became, ...] = ("decided", "noted", "known")
    counts = {kind: sum(outcome.became == kind for outcome in outcomes) for kind in kinds}
    text = (
        f"calls that waited and are decided: {counts['decided']}; that did not wait: {counts['noted']}; "
        f"converted before: {counts['known']}"
    )
    tell(counts, text, as_json)


@conversions.command("list")
@click.option("--pending", is_flag=True, help="Calls that wait for one, those first whose time ends first.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@json_option
def list_(pending: bool, limit: int, as_json: bool) -> None:
    """List the converted calls, the last reported first; or the calls that await a conversion.

    \b
    Examples:
      callrace conversions list
      callrace conversions list --pending --json
    """
    found = desk.latest(site(), limit, is_pending=pending)
    if as_json:
        show_json([conversion_json(one.record, one.transfers) for one in found])
    elif not found:
        click.echo("no calls wait" if pending else "no conversions")
    else:
        show_table(COLUMNS, [row(one.record, one.transfers) for one in found])


@conversions.command()
@json_option
def expire(as_json: bool) -> None:
    """End the wait for conversions whose deadline passed a day ago; the held money is released. Run it daily.

    \b
    Example:
      callrace conversions expire
    """
    count = desk.expire(site(), acting())
    tell({"calls": count}, f"{count} call{'' if count == 1 else 's'} waited in vain", as_json)


def _said(outcome: Converted) -> str:
    record, became = outcome
    if became == "known":
        assert record.conversion is not None
        return f"call {record.id} was converted before, at {iso(record.conversion.at)}: nothing is changed"
    if became == "noted":
        return f"noted: call {record.id} did not wait for a conversion, so no money moved"
    money = record.money
    if money is None or not (money.charged or money.paid):
        return f"call {record.id} is decided: not payable; see `callrace calls explain {record.id}`"
    charged, paid = (format_amount(amount, money.currency) for amount in (money.charged, money.paid))
    return f"call {record.id} is decided: charged {charged}, paid {paid} {money.currency}"
