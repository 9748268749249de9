"""An issued bill: the same rows on the terminal, as CSV and as PDF; and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.bills import Bill, BillLine, BillPeriod
from ari_app.views.csvtext import write_csv
from ari_app.views.words import second

COLUMNS = ("what", "campaign", "count", "amount")
_PAYMENTS = {"invoice": "paid in", "statement": "paid out"}


def bill_rows(bill: Bill) -> list[tuple[str, str | None, int | None, str]]:
    """The bill's rows, from the opening to the closing balance, in the columns COLUMNS."""
    lines = [
        (_what(line), line.campaign, line.count, format_amount(line.amount, bill.currency))
        for line in bill.lines
    ]

    def sum_of(what: str, minor: int) -> tuple[str, None, None, str]:
        return what, None, None, format_amount(minor, bill.currency)

    return [
        sum_of("opening balance", bill.opening),
        *lines,
        sum_of("total", bill.total),
        sum_of(_PAYMENTS[bill.kind], bill.payments),
        sum_of("closing balance", bill.closing),
    ]


def write_bill(file: IO[str], bill: Bill) -> None:
    """Writes the rows as CSV; each row also names the bill's party."""
    head = (bill.kind, bill.number, bill.party, bill.period.name, bill.currency)
    columns = ("kind", "number", "party", "period", "currency", *COLUMNS)
    write_csv(file, columns, [(*head, *row) for row in bill_rows(bill)])


def bill_facts(bill: Bill) -> dict[str, str]:
    """The bill's party and period, as text."""
    return {
        "for": f"{bill.name} ({bill.party})",
        "period": _period(bill.period),
        "issued": f"{second(bill.issued_at)} UTC",
        "currency": bill.currency,
    }


def bill_json(bill: Bill) -> dict[str, object]:
    """The bill as JSON."""
    amounts = {
        name: format_amount(getattr(bill, name), bill.currency)
        for name in ("opening", "total", "payments", "closing")
    }
    return {
        "kind": bill.kind,
        "number": bill.number,
        "party": bill.party,
        "name": bill.name,
        "currency": bill.currency,
        "period": bill.period.name,
        "timezone": bill.period.timezone,
        "from": iso(bill.period.from_at),
        "until": iso(bill.period.until_at),
        "issued_at": iso(bill.issued_at),
        "lines": [
            {
                "what": line.what,
                "campaign": line.campaign,
                "earlier": line.is_earlier,
                "count": line.count,
                "amount": format_amount(line.amount, bill.currency),
            }
            for line in bill.lines
        ],
        **amounts,
    }


LIST_COLUMNS = ("number", "advertiser", "period", "issued (UTC)", "total", "closing", "currency")


def list_row(bill: Bill) -> tuple[object, ...]:
    """A bill in a list."""
    return (
        bill.number,
        bill.party,
        bill.period.name,
        second(bill.issued_at),
        format_amount(bill.total, bill.currency),
        format_amount(bill.closing, bill.currency),
        bill.currency,
    )


def _what(line: BillLine) -> str:
    return f"{line.what} of earlier months" if line.is_earlier else line.what


def _period(period: BillPeriod) -> str:
    zone = ZoneInfo(period.timezone)
    begins, ends = (
        f"{datetime.fromtimestamp(at // 1000, zone):%Y-%m-%d %H:%M}"
        for at in (period.from_at, period.until_at)
    )
    return f"{period.name}: from {begins} until {ends}, {period.timezone}"
