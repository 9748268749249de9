"""Calls: found by id, listed, and the calls under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ari_app.desk import checked
from ari_app.desk.checked import invalid, moment, word
from ari_app.desk.refusals import by_code
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.selection import Selection
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.reports.rollups import CALLS_COUNTED_AS, MONEY_SUMS, OFFERS_COUNTED_AS
from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.ledger import ledger


@dataclass(frozen=True, slots=True)
class Found:
    """A call, the money that it moved, and its disputes. In a list of calls the disputes are left out."""

    record: CallRecord
    transfers: Sequence[Transfer]
    disputes: Sequence[Dispute] = ()


@by_code()
def find(site: Site, call_id: str) -> Found | None:
    """The call with this id, or the only call whose id begins with it; with money and disputes. None: no such call.

    Raises Refused when several ids begin with it.
    """
    from ari_app.store.money import disputes  # imported here: a list of calls need not load it

    record = calls.get(site.engine, word(call_id, "call_id"))
    if record is None:
        return None
    return Found(record, ledger.of_call(site.engine, record.id), disputes.of_call(site.engine, record.id))


def whole(site: Site, call_id: str) -> Found:
    """The same as `find`, but raises Refused when there is no such call, or several."""
    found = find(site, call_id)
    if found is None:
        raise no_call(call_id)
    return found


@by_code()
def record_of(site: Site, call_id: str) -> CallRecord:
    """The call's record alone. Raises as `whole`."""
    record = calls.get(site.engine, word(call_id, "call_id"))
    if record is None:
        raise no_call(call_id)
    return record


def no_call(call_id: str) -> Refused:
    """The refusal for an id that no call has."""
    return Refused(Code.UNKNOWN, what="call", name=call_id)


def latest(
    site: Site, limit: int, wanted: Selection | None = None, before: tuple[int, str] | None = None
) -> list[Found]:
    """The calls that match everything in `wanted`, newest first, at most `limit`, each with its money.

    `before`: only calls after this one in that order, by its beginning (ms) and its id: the next page of a list.
    Raises Refused for a selection that makes no sense, such as a counter that does not exist.
    """
    chosen = _checked(wanted or Selection())
    found = calls.latest(site.engine, checked.limit(limit), before=before, **asdict(chosen))
    return with_money(site, found)


@dataclass(frozen=True, slots=True)
class Changes:
    """Calls in the order in which they changed. `last`: where to go on; `is_last`: nothing is there yet."""

    calls: Sequence[Found]
    last: int
    is_last: bool


def changed(site: Site, after: int, limit: int, wanted: Selection | None = None) -> Changes:
    """The calls that changed after a place (`Changes.last` of before; 0: the beginning), the earliest change first.

    A call that changes again comes again, at its new place, with its money and disputes as they are then. No change is
    skipped, whatever is saved meanwhile. There may be fewer than `limit`, and more to come. Raises as `latest`.
    """
    from ari_app.store.calls import changes

    page = changes.after(site.engine, after, checked.limit(limit), _checked(wanted or Selection()))
    return Changes(with_money(site, page.records), page.last, page.is_last)


def _checked(wanted: Selection) -> Selection:
    for name, value in asdict(wanted).items():
        if isinstance(value, str):
            word(value, name)
        elif isinstance(value, int):
            moment(value, name)
    known = OFFERS_COUNTED_AS if wanted.destination else (*CALLS_COUNTED_AS, *MONEY_SUMS)
    if wanted.counted_as is not None and wanted.counted_as not in known:
        raise invalid("counted_as", f"expected one of {', '.join(known)}")
    return wanted


def with_money(site: Site, records: Sequence[CallRecord]) -> list[Found]:
    """Each of the calls with its transfers."""
    moved = ledger.of_many(site.engine, [record.id for record in records])
    return [Found(record, moved.get(record.id, ())) for record in records]


def charged(site: Site, call_id: str) -> tuple[CallRecord, str]:
    """The call, and the currency of its money. Raises Refused, also for a call that has no campaign."""
    record = record_of(site, call_id)
    if record.money is None:
        raise Refused(Code.NO_MONEY, call=record.id)
    return record, record.money.currency


def under_way(settings: Settings) -> list[dict[str, Any]]:
    """The calls under way in the running switch. Raises SwitchNotRunning, SwitchError."""
    found: list[dict[str, Any]] = running.ask(settings, "/live")
    return found
