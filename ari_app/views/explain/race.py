"""Who was rung, wave by wave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ari_app.domain.calls.record import CallRecord, LegRecord
from ari_app.views.explain.facts import into
from ari_app.views.explain.leg import leg_text
from ari_app.views.sections import Section


def section(record: CallRecord) -> Section:
    """Each wave, and what each phone did."""
    return Section("Who was rung, and what each did", list(_rung(record)))


def _rung(record: CallRecord) -> Iterator[str]:
    for legs in _rounds(record.legs):
        first = legs[0]
        again = ", as the call was offered once more" if _was_rung_before(record, legs) else ""
        yield f"Wave {first.wave}, rung {into(record, first.offered_at)} into the call{again}:"
        for leg in sorted(legs, key=lambda leg: leg.outcome != "won"):
            yield f"- {leg.destination} {leg_text(leg, record)}"


def _rounds(legs: Iterable[LegRecord]) -> Iterator[list[LegRecord]]:
    """The legs by wave; when a destination is rung again, a new round begins."""
    group: list[LegRecord] = []
    for leg in legs:
        if group and (leg.wave != group[0].wave or any(leg.destination == g.destination for g in group)):
            yield group
            group = []
        group.append(leg)
    if group:
        yield group


def _was_rung_before(record: CallRecord, legs: Sequence[LegRecord]) -> bool:
    """Whether a destination of these legs was rung earlier in this call."""
    before = record.legs[: record.legs.index(legs[0])]
    return not {leg.destination for leg in before}.isdisjoint(leg.destination for leg in legs)
