"""Money: funds, accounts and deposits; invoices and statements; payouts."""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import RedirectResponse, Response

from ari_app.desk import bills, documents, ledger, payouts
from ari_app.desk.checked import MOST_SERIAL
from ari_app.desk.refused import Code, Refused
from ari_app.domain.ledger.bills import Bill, BillKind
from ari_app.views.bills.bill import bill_json
from ari_app.views.ledger import balance_json, line_json
from ari_app.views.payouts import run_json
from ari_app.web.pages.listings import page_of, theirs
from ari_app.web.pages.signing import Field
from ari_app.web.pages.tables import Column, Seen, csv, table
from ari_app.web.pages.viewing import done, show
from ari_app.web.who import Asked, by

router = APIRouter(include_in_schema=False)

Serial = Annotated[int, Path(ge=1, le=MOST_SERIAL)]
BALANCES = (
    Column("account", "account", path="/funds/{}"),
    Column("posted", "posted", "amount"),
    Column("held", "held", "amount"),
    Column("reserved", "reserved", "amount"),
    Column("available", "available", "amount"),
    Column("currency", "currency"),
)
LINES = (
    Column("at", "at", "time"),
    Column("what", "kind", "state"),
    Column("call", "call_id", "call"),
    Column("amount", "effect", "amount"),
    Column("balance", "after.posted", "amount"),
    Column("available", "after.available", "amount"),
    Column("currency", "currency"),
    Column("reason", "reason", "text"),
)
BILLS = (
    Column("bill", "_name", path="/{}"),
    Column("party", "party"),
    Column("period", "period"),
    Column("issued", "issued_at", "time"),
    Column("total", "total", "amount"),
    Column("closing", "closing", "amount"),
    Column("currency", "currency"),
)
BILL_LINES = (
    Column("what", "what", "text"),
    Column("campaign", "campaign"),
    Column("count", "count", "number"),
    Column("amount", "amount", "amount"),
)
PAYOUTS = (
    Column("run", "run"),
    Column("at", "at", "time"),
    Column("publisher", "publisher"),
    Column("calls_count", "calls", "number"),
    Column("amount", "amount", "amount"),
    Column("currency", "currency"),
)
_FOLDERS: dict[str, BillKind] = {"invoices": "invoice", "statements": "statement"}


@router.get("/funds")
def funds(asked: Annotated[Asked, Depends(by("ledger.balances"))]) -> Response:
    """The accounts' balances."""
    found = ledger.balances(asked.site)
    told = (balance_json(each.name, each.currency, each.balance, each.reserved) for each in found)
    advertisers = documents.listed(asked.site, "advertisers") if not asked.viewer.own else ()
    return page_of(
        asked,
        "funds",
        theirs(asked, "Balance", "place.funds", BALANCES, told),
        "funds.html",
        advertisers=sorted(advertisers),
        key=token_hex(8),
    )


@router.get("/funds/{account}")
def account(account: str, asked: Annotated[Asked, Depends(by("ledger.statement"))]) -> Response:
    """An account's transfers, newest first, each with the balance after it."""
    if not asked.lens.owns("Balance", {"account": account}):
        raise Refused(Code.NO_ACCOUNT, account=account)
    lines = [line_json(account, line) for line in reversed(ledger.statement(asked.site, account))]
    shown = [asked.lens.shown("StatementLine", line) for line in lines]
    listed = table(asked.lens, "StatementLine", "account_of.title", LINES, shown)
    if asked.request.query_params.get("as_") == "csv":
        return csv(listed, "account")
    return show(asked, "ledger_account.html", table=listed, account=account)


@router.post("/funds/deposit")
def deposit(
    asked: Annotated[Asked, Depends(by("ledger.deposit"))],
    advertiser: Field = "",
    amount: Field = "",
    key: Field = "",
    reason: Field = "",
) -> RedirectResponse:
    """Books what an advertiser paid in; once, however often the form is sent."""
    ledger.deposit(asked.site, asked.actor, advertiser=advertiser, amount=amount, key=key, reason=reason)
    return done("/funds", "deposit")


@router.get("/bills")
def list_bills(asked: Annotated[Asked, Depends(by("bills.list_"))]) -> Response:
    """Invoices and statements, newest first."""
    issued = (bill for kind in _FOLDERS.values() for bill in bills.list_(asked.site, kind))
    shown = asked.lens.listed("Bill", map(bill_json, sorted(issued, key=lambda bill: -bill.issued_at)))
    named = [one | {"_name": f"{one.get('kind')}s/{one.get('number')}"} for one in shown]
    return page_of(asked, "bills", table(asked.lens, "Bill", "place.bills", BILLS, named), "bills.html")


@router.post("/bills/issue")
def issue(
    asked: Annotated[Asked, Depends(by("bills.issue"))],
    kind: Field = "",
    party: Field = "",
    period: Field = "",
) -> RedirectResponse:
    """Issues a month's bill; a month that was billed gives the same one again."""
    of = _FOLDERS.get(f"{kind}s", "invoice")
    issued = bills.issue(asked.site, asked.actor, of, party, period)
    return done(f"/{of}s/{issued.bill.number}", "bill")


@router.get("/invoices/{number}")
def invoice(number: Serial, asked: Annotated[Asked, Depends(by("bills.get"))]) -> Response:
    """An advertiser's invoice."""
    return _bill(asked, "invoice", number)


@router.get("/statements/{number}")
def statement(number: Serial, asked: Annotated[Asked, Depends(by("bills.get"))]) -> Response:
    """A publisher's statement."""
    return _bill(asked, "statement", number)


def _bill(asked: Asked, kind: BillKind, number: int) -> Response:
    found: Bill = bills.get(asked.site, kind, number)
    told = bill_json(found)
    if not asked.lens.owns("Bill", told):
        raise Refused(Code.UNKNOWN, what=kind, name=number)
    shown = asked.lens.shown("Bill", told)
    lines = table(asked.lens, "Bill", "bill.lines", BILL_LINES, shown.get("lines", ()), within="lines[].")
    if asked.request.query_params.get("as_") == "csv":
        return csv(lines, f"{kind}-{number}")
    return show(asked, "bill.html", kind=kind, number=number, bill=Seen.of(shown), table=lines)


@router.get("/payouts")
def list_payouts(asked: Annotated[Asked, Depends(by("payouts.every"))]) -> Response:
    """What publishers were paid, newest first."""
    runs = [asked.lens.shown("PayoutRun", run_json(paid)) for paid in reversed(payouts.every(asked.site))]
    told = [
        {"run": run["key"], "at": run["at"], "currency": run["currency"], **one}
        for run in runs
        for one in run.get("payouts", ())
    ]
    columns = [Column(one.name, f"_{one.field}", one.kind) for one in PAYOUTS]
    named = [{f"_{name}": value for name, value in one.items()} for one in told]
    return page_of(asked, "payouts", table(asked.lens, "PayoutRun", "place.payouts", columns, named))
