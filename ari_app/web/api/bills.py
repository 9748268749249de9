"""Bills: advertisers' invoices and publishers' statements, a month each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk import bills as desk
from ari_app.desk.refused import Code, Refused
from ari_app.domain.ledger.bills import Bill, BillKind
from ari_app.views.bills.bill import bill_json
from ari_app.views.bills.items import COLUMNS, item_row
from ari_app.web.api.answers import Thing, every, one
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body, Serial
from ari_app.web.who import Asked, by

router = APIRouter(tags=["invoices"])


@router.get("/invoices")
def invoices(asked: Annotated[Asked, Depends(by("bills.list_"))]) -> Response:
    """Advertisers' invoices, by number: `list of Bill`."""
    return every(asked, "Bill", map(bill_json, desk.list_(asked.site, "invoice")))


@router.get("/statements")
def statements(asked: Annotated[Asked, Depends(by("bills.list_"))]) -> Response:
    """Publishers' statements, by number: `list of Bill`."""
    return every(asked, "Bill", map(bill_json, desk.list_(asked.site, "statement")))


@router.get("/invoices/{number}")
def invoice(number: Serial, asked: Annotated[Asked, Depends(by("bills.get"))]) -> Response:
    """An advertiser's invoice: `Bill`."""
    return one(asked, "Bill", bill_json(_theirs(asked, "invoice", number)))


@router.get("/statements/{number}")
def statement(number: Serial, asked: Annotated[Asked, Depends(by("bills.get"))]) -> Response:
    """A publisher's statement: `Bill`."""
    return one(asked, "Bill", bill_json(_theirs(asked, "statement", number)))


@router.get("/invoices/{number}/items")
def items_of_invoice(number: Serial, asked: Annotated[Asked, Depends(by("bills.items"))]) -> Response:
    """The transfers that an invoice is made of: `list of BillItem`."""
    return _items(asked, _theirs(asked, "invoice", number))


@router.get("/statements/{number}/items")
def items_of_statement(number: Serial, asked: Annotated[Asked, Depends(by("bills.items"))]) -> Response:
    """The transfers that a statement is made of: `list of BillItem`."""
    return _items(asked, _theirs(asked, "statement", number))


class IssueRequest(Body):
    """Whose month is billed, such as "2026-11" in its time zone. `force_open`: although it is not over."""

    party: str
    period: str
    currency: str | None = None
    force_open: bool = False


@router.post("/invoices", status_code=201)
def issue_invoice(body: IssueRequest, doing: Annotated[Doing, Depends(does("bills.issue"))]) -> Response:
    """Issues an advertiser's invoice; for a month that is billed, the same one again: `Bill`."""
    return _issue("invoice", body, doing)


@router.post("/statements", status_code=201)
def issue_statement(body: IssueRequest, doing: Annotated[Doing, Depends(does("bills.issue"))]) -> Response:
    """Issues a publisher's statement; for a month that is stated, the same one again: `Bill`."""
    return _issue("statement", body, doing)


def _issue(kind: BillKind, body: IssueRequest, doing: Doing) -> Response:
    asked = doing.asked

    def do() -> Thing:
        how = {"currency": body.currency, "force_open": body.force_open}
        issued = desk.issue(asked.site, asked.actor, kind, body.party, body.period, **how)  # type: ignore[arg-type]
        return bill_json(issued.bill)

    return doing.once("Bill", do, 201)


def _theirs(asked: Asked, kind: BillKind, number: int) -> Bill:
    """The bill. Raises Refused: to others it is not there."""
    bill = desk.get(asked.site, kind, number)
    if not asked.lens.owns("Bill", bill_json(bill)):
        raise Refused(Code.UNKNOWN, what=kind, name=number)
    return bill


def _items(asked: Asked, bill: Bill) -> Response:
    rows = (dict(zip(COLUMNS, item_row(*item), strict=True)) for item in desk.items(asked.site, bill))
    return every(asked, "BillItem", rows)
