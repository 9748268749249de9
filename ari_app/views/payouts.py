"""Payout runs: the amounts paid to each publisher, as rows and as JSON."""

from __future__ import annotations

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.payouts import Paid, Run, Waiting
from ari_app.views.words import amount, second

_DAY_MS = 86_400_000


COLUMNS = ("publisher", "amount", "currency", "calls", "key")


def rows(paid: Paid) -> list[tuple[object, ...]]:
    """The amounts that a run paid, one row for each publisher."""
    currency = paid.run.currency
    return [
        (payout.publisher, format_amount(payout.amount, currency), currency, payout.calls, payout.key)
        for payout in paid.payouts
    ]


RUN_COLUMNS = ("key", "at (UTC)", "calls before (UTC)", "publishers", "paid", "currency")


def run_row(paid: Paid) -> tuple[object, ...]:
    """A run in a list."""
    run = paid.run
    total = sum(payout.amount for payout in paid.payouts)
    ended_before = min(run.until_at, run.at - run.hold_ms)
    return (
        run.key,
        second(run.at),
        second(ended_before),
        len(paid.payouts),
        format_amount(total, run.currency),
        run.currency,
    )


def run_json(paid: Paid) -> dict[str, object]:
    """A payout run as JSON."""
    run = paid.run
    return {
        "key": run.key,
        "at": iso(run.at),
        "currency": run.currency,
        "until": iso(run.until_at),
        "hold_days": run.hold_ms // _DAY_MS,
        "minimum": format_amount(run.minimum, run.currency),
        "payouts": [
            {
                "publisher": payout.publisher,
                "amount": format_amount(payout.amount, run.currency),
                "calls": payout.calls,
                "key": payout.key,
            }
            for payout in paid.payouts
        ],
        "waits": [
            {
                "reason": waiting.reason,
                "publishers": waiting.publishers,
                "amount": format_amount(waiting.amount, run.currency),
            }
            for waiting in paid.waits
        ],
    }


def waiting_text(run: Run, waiting: Waiting) -> str:
    """What is not paid and why, for people: `4 publishers have 213.86 USD of calls younger than 7 days`."""
    days, last = run.hold_ms // _DAY_MS, second(run.until_at - _DAY_MS)[:10]
    whose = "1 publisher" if waiting.publishers == 1 else f"{waiting.publishers} publishers"
    has, owes = ("has", "owes") if waiting.publishers == 1 else ("have", "owe")
    left = amount(abs(waiting.amount), run.currency)
    match waiting.reason:
        case "young":
            return f"{whose} {has} {left} of calls younger than {days} days"
        case "later":
            return f"{whose} {has} {left} of calls that ended after {last}"
        case "disputed":
            return f"{whose} {has} {left} of calls in open dispute"
        case "minimum":
            minimum = format_amount(run.minimum, run.currency)
            return f"{whose} {has} {left}, each less than {minimum}"
        case "owes":
            return f"{whose} {owes} {left} that was taken back after it was paid"
