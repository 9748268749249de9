"""`callrace ledger`: who has what, how it came to be, and whether it all adds up."""

from __future__ import annotations

import click
from sqlalchemy import Engine

from ari_app.cli.amounts import amount as minor_units
from ari_app.cli.amounts import currency_option, taken_back
from ari_app.cli.common import Refused, database, marketplace_in_force, now_ms, one_line, reason_given
from ari_app.cli.disputes import charged_call
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.cli.parties import advertiser_of
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger import transfers as domain
from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.corrections import net
from ari_app.store.ledger import ledger as stored
from ari_app.store.limits import reservations
from ari_app.store.market import parties
from ari_app.store.money import audit, corrections, refunds
from ari_app.views.ledger import (
    BALANCE_COLUMNS,
    STATEMENT_COLUMNS,
    adjustment_json,
    balance_json,
    line_json,
    line_row,
    payment_json,
    proof_json,
)


@click.group()
def ledger() -> None:
    """Look at the money: balances, statements, deposits, adjustments, verification.

    Accounts are advertiser:ID, publisher:ID, exchange (what is kept) and world (where deposits come from
    and payouts go).
    """


@ledger.command()
@json_option
def balances(as_json: bool) -> None:
    """List every account's balance.

    `posted` is what was moved, `held` what is set aside for calls not settled yet, `reserved` what calls
    under way may cost, `available` what may still be spent.
    """
    engine = database()
    reserved = reservations.reserved_funds(engine)
    found = stored.balances(engine)
    lines = [balance_json(*key, found.get(key, Balance()), reserved.get(key, 0)) for key in found | reserved]
    if as_json:
        show_json(lines)
    elif not lines:
        click.echo("no money has moved yet")
    else:
        show_table(BALANCE_COLUMNS, [[line[column] for column in BALANCE_COLUMNS] for line in lines])


@ledger.command()
@click.argument("account")
@json_option
def statement(account: str, as_json: bool) -> None:
    """List the transfers of one ACCOUNT in order of time, each with the balance after it.

    \b
    Example:
      callrace ledger statement publisher:homefix
    """
    engine = database()
    lines = stored.statement(engine, account)
    if not lines:
        _check_account(engine, account)
    if as_json:
        show_json([line_json(account, line) for line in lines])
    elif not lines:
        click.echo("no transfers")
    else:
        show_table(STATEMENT_COLUMNS, [line_row(account, line) for line in lines])


@ledger.command()
@json_option
def verify(as_json: bool) -> None:
    """Prove the ledger: sums are zero, and every transfer agrees with its call, terms and verdict.

    So do disputes, payouts, invoices and statements with the transfers that they are about, and reports with the
    ledger: by day, party and currency.

    Exit code 1 when something is wrong.
    """
    transfers, findings = audit.prove(database(), now_ms())
    if as_json:
        show_json(proof_json(transfers, findings))
    elif findings:
        show_table(("rule", "about", "detail"), [(f.rule, f.about, f.detail) for f in findings])
    else:
        click.echo(f"ok: sums are zero, calls, terms and verdicts agree (transfers {transfers})")
    if findings:
        raise Refused(f"the ledger is not in order: findings {len(findings)}, see above")


@ledger.command()
@click.argument("advertiser")
@click.argument("amount")
@click.option(
    "--key", required=True, callback=one_line, help="The payment's own number: the same key counts once."
)
@click.option("--reason", callback=reason_given, help="A note kept with the transfer.")
@currency_option
@json_option
def deposit(
    advertiser: str, amount: str, key: str, reason: str | None, currency: str | None, as_json: bool
) -> None:
    """Book AMOUNT that an ADVERTISER paid in. It pays for calls of campaigns in its currency alone.

    \b
    Examples:
      callrace ledger deposit acme-plumbing 500.00 --key wire-2026-11-23
      callrace ledger deposit acme-plumbing 500.00 --currency CAD --key wire-2026-11-24
    """
    engine = database()
    minor, currency = _payment(engine, advertiser, amount, currency)
    is_new = stored.post(engine, domain.deposit(key, advertiser, minor, currency, now_ms(), reason or ""))
    paid = format_amount(minor, currency)
    if as_json:
        show_json(payment_json(advertiser, paid, currency, key, is_new))
    else:
        done = "deposited" if is_new else "was deposited before:"
        click.echo(f"{done} {paid} {currency} for {advertiser} (key {key})")


@ledger.command()
@click.argument("advertiser")
@click.argument("amount")
@click.option(
    "--key", required=True, callback=one_line, help="The refund's own name: the same key counts once."
)
@click.option("--reason", required=True, callback=reason_given, help="Why; kept with the transfers.")
@currency_option
@json_option
def refund(advertiser: str, amount: str, key: str, reason: str, currency: str | None, as_json: bool) -> None:
    """Book AMOUNT that goes back to an ADVERTISER of what it paid in, such as one that has left the marketplace.

    It is never more than the advertiser has available.

    \b
    Example:
      callrace ledger refund acme-plumbing 58.00 --reason "they left" --key wire-back-2026-12-01
    """
    engine = database()
    minor, currency = _payment(engine, advertiser, amount, currency)
    is_new = refunds.give_back(engine, advertiser, key, minor, currency, now_ms(), reason)
    given = format_amount(minor, currency)
    if as_json:
        show_json(payment_json(advertiser, given, currency, key, is_new))
    else:
        done = "gave back" if is_new else "was given back before:"
        click.echo(f"{done} {given} {currency} to {advertiser} (key {key})")


def _payment(engine: Engine, advertiser: str, amount: str, currency: str | None) -> tuple[int, str]:
    """What AMOUNT is in the minor unit, and of which currency. Raises Refused where there is no such advertiser."""
    marketplace = marketplace_in_force(engine).marketplace
    advertiser_of(engine, marketplace, advertiser)
    currency = currency or marketplace.currency
    minor = minor_units(amount, currency, "AMOUNT")
    if minor == 0:
        raise click.BadParameter("expected more than zero", param_hint="AMOUNT")
    return minor, currency


@ledger.command()
@click.argument("call_id", metavar="CALL")
@click.option("--price", help="What the advertiser gets back of its charge, such as -10.00.")
@click.option("--payout", help="What the publisher loses of its payout, such as -7.00.")
@click.option(
    "--reason",
    required=True,
    callback=reason_given,
    help="Why; kept with the transfers and said by `calls explain`.",
)
@click.option(
    "--key", required=True, callback=one_line, help="The adjustment's own name: the same key counts once."
)
@json_option
def adjust(call_id: str, price: str | None, payout: str | None, reason: str, key: str, as_json: bool) -> None:
    """Take money of one CALL back: from its charge, its payout, or both.

    All that is taken back of a call is never more than was charged and paid; the call's record stays as it
    is, and what it comes to now is told by `calls show` and `calls explain`.

    \b
    Examples:
      callrace ledger adjust 0199c0ffee --price -10.00 --payout -7.00 --reason "bad line" --key case-17
      callrace ledger adjust 0199c0ffee --price -42.00 --reason "goodwill" --key case-18
    """
    if price is None and payout is None:
        raise click.UsageError("give --price, --payout or both")
    engine = database()
    record, currency = charged_call(engine, call_id)
    credit, clawback = taken_back(price, currency, "--price"), taken_back(payout, currency, "--payout")
    is_new = corrections.adjust(engine, record.id, key, credit, clawback, now_ms(), reason)
    after = net(stored.of_call(engine, record.id))
    charged, paid = format_amount(after.price, currency), format_amount(after.payout, currency)
    if as_json:
        show_json(adjustment_json(record.id, key, is_new, after, currency))
    else:
        done = "adjusted" if is_new else "was adjusted before:"
        click.echo(
            f"{done} call {record.id} now comes to charged {charged}, paid {paid} {currency} (key {key})"
        )


def _check_account(engine: Engine, account: str) -> None:
    """Raises Refused when no such account can be."""
    find = {"advertiser": parties.advertiser, "publisher": parties.publisher}
    what, _, name = account.partition(":")
    if account not in (domain.EXCHANGE, domain.WORLD) and not (what in find and find[what](engine, name)):
        raise Refused(
            f"there is no account {account}; accounts are advertiser:ID, publisher:ID, exchange and world"
        )
