"""Qualification: a call is checked against the clauses of its terms. Every clause has a result of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.hours import is_open
from ari_app.domain.calls.geo import Geography, Place, area_covers, area_of
from ari_app.domain.calls.record import ClauseResult, Part, Verdict
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.terms import Basis, Clause, DurationOf, NoRepeat, Scope


@dataclass(frozen=True, slots=True)
class EarlierCall:
    """An earlier call of the same caller. `at` (ms): when it was connected, or when it began if it was not."""

    call_id: str
    at: int


IN_VAIN = "no conversion is waited for, as other terms are not met"

Repeats = Mapping[tuple[Basis, Scope], EarlierCall | None]
"""The caller's earlier call, by each basis and scope that some clause asks for."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the clauses look at. Times in ms; `connected_ms` is the longest single connection.

    `wait_ms`: how long phones were rung for the caller. `held_ms`: how long one had the other on hold. `blocked_by`:
    the entry of the campaign's block list that the caller's number matches. `converted_at`: when the call became a
    sale, as far as is known at `judged_at`. `told_at`: when the advertiser reported it. `duration_of`: which part of a
    conversation that was transferred `connected_ms` is; None: it was not transferred.
    """

    started_at: int
    connected_ms: int | None
    answers: Mapping[str, str]
    place: Place
    ani: str | None
    timezone: str
    earlier: Repeats = field(default_factory=dict)
    total_ms: int = 0
    wait_ms: int = 0
    held_ms: int = 0
    source: str | None = None
    blocked_by: str | None = None
    ended_at: int = 0
    judged_at: int = 0
    converted_at: int | None = None
    told_at: int | None = None
    duration_of: DurationOf | None = None


def judge(clauses: Iterable[Clause], facts: Facts, geography: Geography) -> Verdict:
    """Qualified when the call was connected and every clause holds."""
    results = [_connected(facts)]
    results += [check(clause, facts, geography) for clause in clauses]
    return Verdict(all(result.passed for result in results), _final(results, results))


def judge_campaign(campaign: Campaign, publisher: str, facts: Facts, geography: Geography) -> Verdict:
    """The verdict under all of a campaign's clauses, those of single parts of the money included."""
    verdict = judge(campaign.qualify, facts, geography)
    parts = {
        "price": campaign.price_when,
        "payout": payout_when(campaign, publisher),
        **{f"bonus {bonus.name}": bonus.when for bonus in campaign.bonus},
    }
    for name, clauses in parts.items():
        results = [check(clause, facts, geography) for clause in clauses]
        if results:
            results = _final(results, [*verdict.clauses, *results])
            verdict.parts.append(Part(name, all(result.passed for result in results), results))
    return verdict


def _final(results: Iterable[ClauseResult], together: Collection[ClauseResult]) -> list[ClauseResult]:
    """The results. If another clause failed for good, no clause awaits a conversion."""
    if all(result.passed or result.waits_until is not None for result in together):
        return list(results)
    return [
        result if result.waits_until is None else ClauseResult(result.name, False, IN_VAIN)
        for result in results
    ]


def payout_when(campaign: Campaign, publisher: str) -> tuple[Clause, ...]:
    """The further clauses that the publisher's payout depends on."""
    override = campaign.overrides.get(publisher)
    own = override.payout_when if override else None
    return campaign.payout_when if own is None else own


def check(clause: Clause, facts: Facts, geography: Geography) -> ClauseResult:
    """Checks one clause against one call. A clause has exactly one field set (see `document`)."""
    if clause.connected_at_least is not None:
        what = _CONNECTED[facts.duration_of]
        return _at_least("connected_at_least", what, facts.connected_ms or 0, clause.connected_at_least)
    if clause.total_at_least is not None:
        return _at_least("total_at_least", "the whole call lasted", facts.total_ms, clause.total_at_least)
    if clause.rang_at_least is not None:
        return _at_least("rang_at_least", "phones were rung", facts.wait_ms, clause.rang_at_least)
    if clause.held_at_most is not None:
        return _held_at_most(clause.held_at_most, facts.held_ms)
    if clause.answer_in is not None:
        return _answer_in(clause.answer_in, facts)
    if clause.caller_in is not None:
        covered, reason = area_covers(area_of(clause.caller_in, geography), facts.place, facts.ani)
        return ClauseResult("caller_in", covered, reason)
    if clause.source_in is not None:
        return _source_in(clause.source_in, facts)
    if clause.not_blocked is not None:
        return _not_blocked(facts)
    if clause.no_repeat is not None:
        return _no_repeat_within(clause.no_repeat, facts)
    if clause.within_hours is not None:
        return _within_hours(clause, facts)
    if clause.converted_within is not None:
        return _converted_within(clause.converted_within, facts)
    raise ValueError("a clause with no condition; `document.parse` refuses those")


_CONNECTED: Mapping[DurationOf | None, str] = {
    None: "connected",
    "whole": "connected to the agent, and to whom the agent transferred the caller (duration_of: whole),",
    "first": "connected to the agent, until the transfer (duration_of: first),",
}


def _connected(facts: Facts) -> ClauseResult:
    if facts.connected_ms is None:
        return ClauseResult("connected", False, "no agent was connected")
    return ClauseResult("connected", True, "an agent accepted and was connected")


def _at_least(name: str, what: str, lasted_ms: int, needed_ms: int) -> ClauseResult:
    detail = f"{what} for {seconds(lasted_ms)}, at least {seconds(needed_ms)} needed"
    return ClauseResult(name, lasted_ms >= needed_ms, detail)


def _held_at_most(most_ms: int, held_ms: int) -> ClauseResult:
    detail = f"on hold for {seconds(held_ms)}, at most {seconds(most_ms)} allowed"
    return ClauseResult("held_at_most", held_ms <= most_ms, detail)


def _answer_in(wanted: Mapping[str, frozenset[str]], facts: Facts) -> ClauseResult:
    wrong = [name for name, values in wanted.items() if facts.answers.get(name) not in values]
    shown = wrong or list(wanted)
    detail = "; ".join(
        f"{name} is {facts.answers.get(name, 'not answered')}, wanted: {', '.join(sorted(wanted[name]))}"
        for name in shown
    )
    return ClauseResult("answer_in", not wrong, detail)


def _source_in(wanted: Collection[str], facts: Facts) -> ClauseResult:
    detail = f"the source is {facts.source or 'not known'}, wanted: {', '.join(sorted(wanted))}"
    return ClauseResult("source_in", facts.source in wanted, detail)


def _not_blocked(facts: Facts) -> ClauseResult:
    if facts.blocked_by is not None:
        return ClauseResult("not_blocked", False, f"{facts.ani} is blocked by {facts.blocked_by}")
    return ClauseResult("not_blocked", True, "the caller is not on the block list")


_LAST = {"any": "last called", "connected": "was last connected", "qualified": "last had a payable call"}
_EARLIER = {"any": "earlier call", "connected": "earlier connected call", "qualified": "earlier payable call"}
_SCOPES = {"campaign": "", "advertiser": " to the advertiser", "destination": " to the same destination"}


def _no_repeat_within(rule: NoRepeat, facts: Facts) -> ClauseResult:
    name = "no_repeat_within"
    if facts.ani is None:
        return ClauseResult(name, False, "an anonymous caller cannot be told from a repeat caller")
    earlier, where = facts.earlier.get((rule.basis, rule.scope)), _SCOPES[rule.scope]
    if earlier is None:
        return ClauseResult(name, True, f"no {_EARLIER[rule.basis]} from {facts.ani}{where} is known")
    ago_ms = facts.started_at - earlier.at
    detail = (
        f"{facts.ani} {_LAST[rule.basis]}{where} at {iso(earlier.at)} (call {earlier.call_id}), "
        f"{'outside' if ago_ms >= rule.window else 'within'} {seconds(rule.window)}"
    )
    return ClauseResult(name, ago_ms >= rule.window, detail)


def _within_hours(clause: Clause, facts: Facts) -> ClauseResult:
    assert clause.within_hours is not None
    is_within = is_open(clause.within_hours, facts.started_at, facts.timezone)
    detail = f"called {'within' if is_within else 'outside'} {clause.within_hours.describe(facts.timezone)}"
    return ClauseResult("within_hours", is_within, detail)


def _converted_within(window_ms: int, facts: Facts) -> ClauseResult:
    """The window begins at the end of the call. A conversion that is reported after the grace counts as too late."""
    name, until, window = "converted_within", facts.ended_at + window_ms, seconds(window_ms)
    if facts.converted_at is not None and (facts.told_at or 0) >= until + CONVERSION_GRACE_MS:
        said = f"converted at {iso(facts.converted_at)}, which was told more than a day after the time until"
        return ClauseResult(name, False, f"{said} {iso(until)}")
    if facts.converted_at is not None:
        is_within = facts.converted_at <= until
        when = f"{'within' if is_within else 'later than'} {window} after the call"
        return ClauseResult(name, is_within, f"converted at {iso(facts.converted_at)}, {when}")
    if facts.judged_at > until:
        return ClauseResult(name, False, f"no conversion was told of within {window} after the call")
    return ClauseResult(name, False, f"waits for a conversion until {iso(until)}", until)


def seconds(duration_ms: int) -> str:
    """A duration as people write it: `4.2 s`, `90 s`, `30 days`."""
    if duration_ms and duration_ms % 86_400_000 == 0:
        days = duration_ms // 86_400_000
        return f"{days} day{'s' if days > 1 else ''}"
    whole, rest = divmod(duration_ms, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") + " s" if rest else f"{whole} s"
