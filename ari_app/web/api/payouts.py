"""Payout runs: publishers are paid what they have earned."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from ari_app.desk import payouts as desk
from ari_app.views.bills.items import COLUMNS, item_row
from ari_app.views.payouts import run_json
from ari_app.web.api.answers import Thing, every, listing, one
from ari_app.web.api.doing import Doing, does
from ari_app.web.api.words import Body
from ari_app.web.who import Asked, by

router = APIRouter(prefix="/payouts", tags=["payouts"])


@router.get("")
def list_(asked: Annotated[Asked, Depends(by("payouts.every"))]) -> Response:
    """The payout runs, oldest first; a publisher sees its own lines of each: `list of PayoutRun`."""
    shown = (asked.lens.shown("PayoutRun", run_json(paid)) for paid in desk.every(asked.site))
    return listing(asked.request, [run for run in shown if run.get("payouts") or not asked.viewer.own])


@router.get("/{key}")
def show(key: str, asked: Annotated[Asked, Depends(by("payouts.get"))]) -> Response:
    """One payout run: `PayoutRun`."""
    return one(asked, "PayoutRun", run_json(desk.get(asked.site, key)))


@router.get("/{key}/items")
def items(key: str, asked: Annotated[Asked, Depends(by("payouts.items"))]) -> Response:
    """The transfers that a run's payouts are made of: `list of BillItem`."""
    found = desk.items(asked.site, desk.get(asked.site, key))
    return every(asked, "BillItem", (dict(zip(COLUMNS, item_row(*item), strict=True)) for item in found))


class RunRequest(Body):
    """Up to the end of which day (UTC) calls are paid. `key` is the run's own name: the same pays once."""

    key: str
    until: date
    minimum: str = "0"
    hold_days: int = desk.HOLD_DAYS
    currency: str | None = None


@router.post("", status_code=201)
def run(body: RunRequest, doing: Annotated[Doing, Depends(does("payouts.run"))]) -> Response:
    """Pays every publisher what is old enough and in no dispute: `PayoutRun`."""
    asked = doing.asked

    def do() -> Thing:
        return run_json(desk.run(asked.site, asked.actor, desk.asked(asked.site, **body.model_dump())))

    return doing.once("PayoutRun", do, 201)


@router.post("/plan")
def plan(body: RunRequest, asked: Annotated[Asked, Depends(by("payouts.plan"))]) -> Response:
    """What a run would pay now; nothing is booked: `PayoutRun`."""
    wanted = desk.asked(asked.site, **body.model_dump())
    return one(asked, "PayoutRun", run_json(desk.plan(asked.site, wanted)))
