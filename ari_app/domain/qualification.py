"""Qualification: a call against the clauses of its terms. Every clause answers for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ari_app.domain.clock import iso
from ari_app.domain.geo import Geography, Place, area_covers, area_of
from ari_app.domain.hours import is_open
from ari_app.domain.marketplace import Clause
from ari_app.domain.record import ClauseResult, Verdict


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """The caller's connected call before this one, to the same campaign."""

    call_id: str
    connected_at: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the clauses look at. Times in ms; `connected_ms` is the longest single connection."""

    started_at: int
    connected_ms: int | None
    answers: Mapping[str, str]
    place: Place
    ani: str | None
    timezone: str
    earlier: EarlierCall | None = None


def judge(clauses: Iterable[Clause], facts: Facts, geography: Geography) -> Verdict:
    """Qualified when the call was connected and every clause holds."""
    results = [_connected(facts)]
    results += [check(clause, facts, geography) for clause in clauses]
    return Verdict(all(result.passed for result in results), results)


def check(clause: Clause, facts: Facts, geography: Geography) -> ClauseResult:
    """One clause against one call. A clause has exactly one field set (see `document`)."""
    if clause.connected_at_least is not None:
        return _connected_at_least(clause.connected_at_least, facts)
    if clause.answer_in is not None:
        return _answer_in(clause.answer_in, facts)
    if clause.caller_in is not None:
        covered, reason = area_covers(area_of(clause.caller_in, geography), facts.place, facts.ani)
        return ClauseResult("caller_in", covered, reason)
    if clause.no_repeat_within is not None:
        return _no_repeat_within(clause.no_repeat_within, facts)
    if clause.within_hours is not None:
        return _within_hours(clause, facts)
    raise ValueError("a clause with no condition; `document.parse` refuses those")


def _connected(facts: Facts) -> ClauseResult:
    if facts.connected_ms is None:
        return ClauseResult("connected", False, "no agent was connected")
    return ClauseResult("connected", True, "an agent accepted and was connected")


def _connected_at_least(needed_ms: int, facts: Facts) -> ClauseResult:
    talked_ms = facts.connected_ms or 0
    detail = f"connected for {seconds(talked_ms)}, at least {seconds(needed_ms)} needed"
    return ClauseResult("connected_at_least", talked_ms >= needed_ms, detail)


def _answer_in(wanted: Mapping[str, frozenset[str]], facts: Facts) -> ClauseResult:
    wrong = [name for name, values in wanted.items() if facts.answers.get(name) not in values]
    shown = wrong or list(wanted)
    detail = "; ".join(
        f"{name} is {facts.answers.get(name, 'not answered')}, wanted: {', '.join(sorted(wanted[name]))}"
        for name in shown
    )
    return ClauseResult("answer_in", not wrong, detail)


def _no_repeat_within(window_ms: int, facts: Facts) -> ClauseResult:
    name = "no_repeat_within"
    if facts.ani is None:
        return ClauseResult(name, False, "an anonymous caller cannot be told from a repeat caller")
    earlier = facts.earlier
    if earlier is None:
        return ClauseResult(name, True, f"no earlier connected call from {facts.ani} is known")
    ago_ms = facts.started_at - earlier.connected_at
    detail = (
        f"{facts.ani} was last connected at {iso(earlier.connected_at)} (call {earlier.call_id}), "
        f"{'outside' if ago_ms >= window_ms else 'within'} {seconds(window_ms)}"
    )
    return ClauseResult(name, ago_ms >= window_ms, detail)


def _within_hours(clause: Clause, facts: Facts) -> ClauseResult:
    assert clause.within_hours is not None
    is_within = is_open(clause.within_hours, facts.started_at, facts.timezone)
    detail = f"called {'within' if is_within else 'outside'} {clause.within_hours.describe(facts.timezone)}"
    return ClauseResult("within_hours", is_within, detail)


def seconds(duration_ms: int) -> str:
    """A duration as people write it: `4.2 s`, `90 s`, `30 days`."""
    if duration_ms and duration_ms % 86_400_000 == 0:
        days = duration_ms // 86_400_000
        return f"{days} day{'s' if days > 1 else ''}"
    whole, rest = divmod(duration_ms, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") + " s" if rest else f"{whole} s"
