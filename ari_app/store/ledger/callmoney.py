"""What calls moved, by the ledger: the same sums as `domain.reports.rollups.money_counts`, added up in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, func, or_, select

from ari_app.domain.ledger.transfers import ADVERTISER, EXCHANGE
from ari_app.domain.reports.rollups import MONEY_SUMS
from ari_app.store.db.tables import calls, transfers

_IS_MOVED = transfers.c.call_id.is_not(None) & transfers.c.kind.in_(("post", "adjust"))
_IS_CHARGE = or_(
    transfers.c.debit.startswith(ADVERTISER, autoescape=True),
    transfers.c.credit.startswith(ADVERTISER, autoescape=True),
)
_OF_CALLS: FromClause = transfers.join(calls, calls.c.id == transfers.c.call_id)
ENDED_AT = func.coalesce(calls.c.ended_at, calls.c.started_at)
IS_CORRECTION = transfers.c.kind == "adjust"
_SIDES = {
    "revenue": (_IS_CHARGE, transfers.c.credit == EXCHANGE),
    "payout": (~_IS_CHARGE, transfers.c.debit == EXCHANGE),
}
_PARTS: dict[str, ColumnElement[bool]] = {
    "corrected": IS_CORRECTION,
    "later": and_(transfers.c.kind == "post", transfers.c.at > ENDED_AT),
}


def is_counted(name: str) -> ColumnElement[bool]:
    """Whether a transfer of a call counts in this one of MONEY_SUMS."""
    part, _, side = name.rpartition("_")
    its_own = [_PARTS[part]] if part else []
    return and_(_IS_MOVED, _SIDES[side][0], *its_own)


def moved(name: str) -> ColumnElement[int]:
    """What a transfer of a call adds to this one of MONEY_SUMS."""
    _, goes_forward = _SIDES[name.rpartition("_")[2]]
    amount = case((goes_forward, transfers.c.amount), else_=-transfers.c.amount)
    return case((is_counted(name), amount), else_=0)


def sums(*keys: Any) -> Select[Any]:
    """The sums of MONEY_SUMS over all transfers of calls, by these columns of transfers and calls."""
    totals = (func.coalesce(func.sum(moved(name)), 0).label(name) for name in MONEY_SUMS)
    return select(*keys, *totals).select_from(_OF_CALLS).where(_IS_MOVED).group_by(*keys)


def calls_that_moved(name: str, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """The ids of the calls with a transfer that is counted in one of MONEY_SUMS and meets the conditions."""
    return select(transfers.c.call_id).select_from(_OF_CALLS).where(is_counted(name), *conditions)
