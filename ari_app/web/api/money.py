"""The ledger: balances, accounts' statements, the proof; deposits, refunds, adjustments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk import ledger as desk
from ari_app.desk.ledger import Payment
from ari_app.desk.refused import Code, Refused
from ari_app.domain.basics.money import format_amount
from ari_app.views.ledger import adjustment_json, balance_json, line_json, payment_json, proof_json
from ari_app.web.api.answers import Thing, every, listing, one
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/ledger", tags=["ledger"])


@router.get("/balances")
def balances(asked: Annotated[Asked, Depends(by("ledger.balances"))]) -> Response:
    """Every account's balance, by currency: `list of Balance`."""
    found = desk.balances(asked.site)
    told = (balance_json(each.name, each.currency, each.balance, each.reserved) for each in found)
    return every(asked, "Balance", told)


@router.get("/accounts/{account}/statement")
def statement(account: str, asked: Annotated[Asked, Depends(by("ledger.statement"))]) -> Response:
    """The transfers of an account (`advertiser:acme`), oldest first: `list of StatementLine`."""
    if not asked.lens.owns("Balance", {"account": account}):
        raise Refused(Code.NO_ACCOUNT, account=account)
    told = (line_json(account, line) for line in desk.statement(asked.site, account))
    return listing(asked.request, [asked.lens.shown("StatementLine", line) for line in told])


@router.get("/proof")
def proof(asked: Annotated[Asked, Depends(by("ledger.verify"))]) -> Response:
    """Whether the ledger agrees with calls, terms, verdicts, bills and reports: `Proof`. It takes a while."""
    return one(asked, "Proof", proof_json(*desk.verify(asked.site)))


class DepositRequest(Body):
    """What an advertiser paid in. `key` is the payment's own number, and counts once."""

    advertiser: str
    amount: str
    key: str
    currency: str | None = None
    reason: str = ""


@router.post("/deposits", status_code=201)
def deposit(body: DepositRequest, doing: Annotated[Doing, Depends(does("ledger.deposit"))]) -> Response:
    """Books what an advertiser paid in: `Payment`."""
    asked = doing.asked
    return doing.once(
        "Payment", lambda: _payment(desk.deposit(asked.site, asked.actor, **body.model_dump())), 201
    )


class RefundRequest(Body):
    """What an advertiser gets back of its deposits. `key` is the refund's own name, and counts once."""

    advertiser: str
    amount: str
    key: str
    reason: str
    currency: str | None = None


@router.post("/refunds", status_code=201)
def refund(body: RefundRequest, doing: Annotated[Doing, Depends(does("ledger.refund"))]) -> Response:
    """Books what an advertiser gets back: `Payment`."""
    asked = doing.asked
    return doing.once(
        "Payment", lambda: _payment(desk.refund(asked.site, asked.actor, **body.model_dump())), 201
    )


class AdjustmentRequest(Body):
    """What is taken back of a call's charge (`price`, such as "-10.00"), of its payout, or of both."""

    call_id: str
    key: str
    reason: str
    price: str | None = None
    payout: str | None = None


@router.post("/adjustments", status_code=201)
def adjust(body: AdjustmentRequest, doing: Annotated[Doing, Depends(does("ledger.adjust"))]) -> Response:
    """Reverses a part of a call's money: `Adjustment`."""
    asked = doing.asked

    def do() -> Thing:
        done = desk.adjust(asked.site, asked.actor, **body.model_dump())
        return adjustment_json(done.call_id, done.key, done.is_new, done.after, done.currency)

    return doing.once("Adjustment", do, 201)


def _payment(paid: Payment) -> Thing:
    amount = format_amount(paid.amount, paid.currency)
    return payment_json(paid.advertiser, amount, paid.currency, paid.key, paid.is_new)
