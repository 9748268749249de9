"""Whether it was a payable call, clause by clause."""

from __future__ import annotations

from collections.abc import Iterator

from ari_app.domain.calls.record import CallRecord, ClauseResult, Part, may_pass_until
from ari_app.views.explain.facts import Sees
from ari_app.views.sections import Section
from ari_app.views.words import sentence

_CLAUSE_NAMES = {
    "connected": "an agent took the call",
    "connected_at_least": "connected for long enough",
    "answer_in": "the caller wants what is bought",
    "caller_in": "the caller is in the area that is bought",
    "total_at_least": "long enough from beginning to end",
    "rang_at_least": "phones rung for long enough",
    "held_at_most": "not on hold for too long",
    "source_in": "from a source that is bought",
    "not_blocked": "not on the block list",
    "no_repeat_within": "not a repeat caller",
    "within_hours": "called within the hours",
    "converted_within": "became a sale in time",
}


def section(record: CallRecord, sees: Sees) -> Section:
    """The verdict, each clause, and the parts of the money that have clauses of their own."""
    return Section("Was it a payable call?", list(_verdict(record)) if sees("verdict") else [])


def _verdict(record: CallRecord) -> Iterator[str]:
    verdict = record.qualification
    if verdict is None:
        if record.ended_at is not None:
            yield "- The terms were not looked at: the call was never offered to anybody."
        return
    failed = sum(not clause.passed for clause in verdict.clauses)
    if verdict.qualified:
        yield "- Yes: every one of the terms is met."
    elif may_pass_until(verdict.clauses) is not None:
        yield f"- Not yet: all of the terms must be met, and {failed} of {len(verdict.clauses)} {_is(failed)} open."
    else:
        yield f"- No: all of the terms must be met, and {failed} of {len(verdict.clauses)} {_is(failed)} not."
    for clause in verdict.clauses:
        yield f"- {_clause(clause)}"
    for part in verdict.parts:
        yield f"- {_part(part, verdict.qualified)}"
        for clause in part.clauses:
            yield f"- {part.name}, {_clause(clause)}"


def _part(part: Part, is_qualified: bool) -> str:
    if may_pass_until(part.clauses) is not None:
        return f"The {part.name} has terms of its own, which are not all met yet."
    if not part.due:
        return f"The {part.name} has terms of its own, which are not all met: it is not due."
    if not is_qualified:
        return f"The {part.name} has terms of its own, which are met; but the call is not payable."
    return f"The {part.name} has terms of its own, which are met."


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _clause(clause: ClauseResult) -> str:
    name = _CLAUSE_NAMES.get(clause.name, clause.name)
    result = "passed" if clause.passed else "FAILED" if clause.waits_until is None else "open"
    return f"{result}: {name}? ({clause.name}) {sentence(clause.detail)}"
