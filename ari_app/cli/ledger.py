"""`callrace ledger`: balances, statements, bookings, and the proof that all agrees."""

from __future__ import annotations

import click

from ari_app.cli.amounts import currency_option
from ari_app.cli.common import Failed, acting, one_line, reason_given, site
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.cli.remedies import argument, found
from ari_app.desk import ledger as desk
from ari_app.desk.ledger import Payment
from ari_app.domain.basics.money import format_amount
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
from ari_app.views.sections import listed


@click.group()
def ledger() -> None:
    """Look at the money: balances, statements, deposits, adjustments, verification.

    Accounts are advertiser:ID, publisher:ID, exchange (what the exchange keeps) and world (where deposits come
    from and payouts go).
    """


@ledger.command()
@json_option
def balances(as_json: bool) -> None:
    """List every account's balance.

    `posted` is the money that has moved, `held` the money set aside for calls that are not settled yet, `reserved`
    the money that calls under way may cost, `available` the money that may still be spent.
    """
    lines = [
        balance_json(account.name, account.currency, account.balance, account.reserved)
        for account in desk.balances(site())
    ]
    if as_json:
        show_json(lines)
    elif not lines:
        click.echo("no money has moved yet")
    else:
        show_table(*listed(BALANCE_COLUMNS, lines))


@ledger.command()
@click.argument("account")
@json_option
def statement(account: str, as_json: bool) -> None:
    """List the transfers of one ACCOUNT, oldest first, each with the balance after it.

    \b
    Example:
      callrace ledger statement publisher:homefix
    """
    lines = desk.statement(site(), account)
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

    Disputes, payouts, invoices and statements are compared with their transfers, too, and reports with the ledger: by
    day, party and currency.

    Exit code 1 when something is wrong.
    """
    transfers, findings = desk.verify(site())
    findings = [found(finding) for finding in findings]
    if as_json:
        show_json(proof_json(transfers, findings))
    elif findings:
        show_table(("rule", "about", "detail"), [(f.rule, f.about, f.detail) for f in findings])
    else:
        click.echo(f"ok: sums are zero, calls, terms and verdicts agree (transfers {transfers})")
    if findings:
        raise Failed(f"the ledger is not in order: findings {len(findings)}, see above")


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
    """Book AMOUNT that an ADVERTISER paid in. It pays only for calls of campaigns in the same currency.

    \b
    Examples:
      callrace ledger deposit acme-plumbing 500.00 --key wire-2026-11-23
      callrace ledger deposit acme-plumbing 500.00 --currency CAD --key wire-2026-11-24
    """
    with argument("amount", "AMOUNT"):
        paid = desk.deposit(
            site(),
            acting(),
            advertiser=advertiser,
            amount=amount,
            key=key,
            currency=currency,
            reason=reason or "",
        )
    _show_payment(paid, as_json, f"{'deposited' if paid.is_new else 'was deposited before:'} {{}} for {{}}")


@ledger.command()
@click.argument("advertiser")
@click.argument("amount")
@click.option(
    "--key", required=True, callback=one_line, help="The refund's own name: the same key counts once."
)
@click.option("--reason", required=True, callback=reason_given, help="Why; kept with the transfers.")
@click.option("--currency", metavar="CODE", help="Of the money; default: the marketplace's.")
@json_option
def refund(advertiser: str, amount: str, key: str, reason: str, currency: str | None, as_json: bool) -> None:
    """Book AMOUNT that an ADVERTISER gets back from its deposits, for example when it has left the marketplace.

    It cannot be more than the advertiser has available.

    \b
    Example:
      callrace ledger refund acme-plumbing 58.00 --reason "they left" --key wire-back-2026-12-01
    """
    with argument("amount", "AMOUNT"):
        back = desk.refund(
            site(),
            acting(),
            advertiser=advertiser,
            amount=amount,
            key=key,
            reason=reason,
            currency=currency,
        )
    _show_payment(back, as_json, f"{'gave back' if back.is_new else 'was given back before:'} {{}} to {{}}")


def _show_payment(payment: Payment, as_json: bool, done: str) -> None:
    """Prints what was booked; `done` has placeholders for the amount and the advertiser."""
    amount = format_amount(payment.amount, payment.currency)
    if as_json:
        show_json(payment_json(payment.advertiser, amount, payment.currency, payment.key, payment.is_new))
    else:
        said = done.format(f"{amount} {payment.currency}", payment.advertiser)
        click.echo(f"{said} (key {payment.key})")


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
    """Reverse a part of the money of one CALL: of its charge, of its payout, or of both.

    All that is reversed for a call is never more than was charged and paid. The call's record does not change;
    `calls show` and `calls explain` show the net amounts.

    \b
    Examples:
      callrace ledger adjust 0199c0ffee --price -10.00 --payout -7.00 --reason "bad line" --key case-17
      callrace ledger adjust 0199c0ffee --price -42.00 --reason "goodwill" --key case-18
    """
    if price is None and payout is None:
        raise click.UsageError("give --price, --payout or both")
    now = desk.adjust(
        site(),
        acting(),
        call_id=call_id,
        key=key,
        reason=reason,
        price=price,
        payout=payout,
    )
    charged, paid = (format_amount(amount, now.currency) for amount in (now.after.price, now.after.payout))
    if as_json:
        show_json(adjustment_json(now.call_id, key, now.is_new, now.after, now.currency))
    else:
        done = "adjusted" if now.is_new else "was adjusted before:"
        click.echo(
            f"{done} call {now.call_id} now comes to charged {charged}, paid {paid} {now.currency} (key {key})"
        )
