"""Which calls a reader asks for, as conditions on the tables."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import ColumnElement, exists, or_, true

from ari_app.domain.calls.privacy import ERASED
from ari_app.domain.calls.record import Disposition, LegOutcome
from ari_app.domain.calls.selection import Selection
from ari_app.domain.reports.rollups import MONEY_SUMS
from ari_app.store.db.tables import calls, legs, transfers
from ari_app.store.ledger.callmoney import IS_CORRECTION, calls_that_moved

_REPEAT = '["no_repeat_within",false,'  # as `calls.save` writes a clause that did not hold


def conditions(wanted: Selection) -> list[ColumnElement[bool]]:
    """The conditions that a row of `calls` must meet."""
    given = {name: getattr(wanted, name) for name in _PARTIES if getattr(wanted, name) is not None}
    found: list[ColumnElement[bool]] = [
        _PARTIES[name] == value if value else _PARTIES[name].is_(None) for name, value in given.items()
    ]
    if wanted.counted_as in MONEY_SUMS:
        moved = calls_that_moved(wanted.counted_as, _within(transfers.c.at, wanted))
        found.append(calls.c.id.in_(moved))
    else:
        found += _within(calls.c.started_at, wanted)
    if wanted.talked_from_ms is not None:
        found.append(calls.c.connected_ms >= wanted.talked_from_ms)
    if wanted.talked_until_ms is not None:
        found.append(calls.c.connected_ms < wanted.talked_until_ms)
    if (wanted.talked_from_ms, wanted.talked_until_ms) != (None, None):
        found.append(calls.c.disposition == "connected")
    if wanted.qualified is not None:
        found.append(calls.c.qualified.is_(True) if wanted.qualified else calls.c.qualified.is_not(True))
    if wanted.destination is not None:
        is_counted = _OFFERS[wanted.counted_as or "offered"]
        found.append(
            exists().where(legs.c.call_id == calls.c.id, legs.c.destination == wanted.destination, is_counted)
        )
    elif wanted.counted_as in _CALLS:
        found.append(_CALLS[wanted.counted_as])
    if wanted.corrected:
        found.append(exists().where(transfers.c.call_id == calls.c.id, IS_CORRECTION))
    return found


def _within(at: ColumnElement[int], wanted: Selection) -> list[ColumnElement[bool]]:
    since = [at >= wanted.since] if wanted.since is not None else []
    return since + ([at < wanted.until] if wanted.until is not None else [])


_PARTIES = {
    "did": calls.c.did,
    "ani": calls.c.ani,
    "campaign": calls.c.campaign,
    "advertiser": calls.c.advertiser,
    "publisher": calls.c.publisher,
    "source": calls.c.source,
    "state": calls.c.place_state,
    "winner": calls.c.winner,
    "disposition": calls.c.disposition,
}
# The same as `domain.reports.rollups.call_counts` and `offer_counts` count of a record; a test keeps them equal.
_CALLS: dict[str, ColumnElement[bool]] = {
    "incoming": true(),
    "answered": calls.c.answered_at.is_not(None),
    "offered": calls.c.offered_at.is_not(None) & (calls.c.disposition != "no_route"),
    "qualified": calls.c.qualified.is_(True),
    "repeat": or_(
        calls.c.ani.is_not(None) & calls.c.clauses_json.contains(_REPEAT, autoescape=True),
        calls.c.clauses_json.contains(f'{_REPEAT}"{ERASED}', autoescape=True),
    ),
    **{name: calls.c.disposition == name for name in get_args(Disposition)},
}
_OFFERS: dict[str, ColumnElement[bool]] = {
    "offered": true(),
    "answered": legs.c.answered_at.is_not(None),
    "accepted": legs.c.accepted_at.is_not(None),
    "late": legs.c.lost_by_ms.is_not(None),
    **{name: legs.c.outcome == name for name in get_args(LegOutcome)},
}
