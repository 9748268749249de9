"""Compares a call with what its scenario expects. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.transfers import Transfer
from ari_app.lab.demo.play import Seen
from ari_app.lab.demo.scenarios import Expected, Scenario


def differences(
    scenario: Scenario, record: CallRecord, seen: Seen, transfers: Sequence[Transfer]
) -> list[str]:
    """One line for each difference from what is expected; empty when there is none."""
    return [
        f"{scenario.name}: {what}: expected {_text(expected)}, got {_text(found)}"
        for what, expected, found in _facts(scenario.expected, record, seen, transfers)
        if expected != found
    ]


def _facts(
    expected: Expected, record: CallRecord, seen: Seen, transfers: Sequence[Transfer]
) -> Iterator[tuple[str, object, object]]:
    """The values to compare: a name, the expected value, the found value."""
    verdict, money, legs = record.qualification, record.money, record.legs
    yield "disposition", expected.disposition, record.disposition
    yield "winner", expected.winner, record.winner
    yield "qualified", expected.qualified, verdict is not None and verdict.qualified
    failed = {clause.name for clause in verdict.clauses if not clause.passed} if verdict else set()
    yield "clauses that failed", set(expected.fails), failed
    yield "charged", expected.charged, money and format_amount(money.charged, money.currency)
    yield "paid", expected.paid, money and format_amount(money.paid, money.currency)
    yield "transfers", expected.transfers, tuple(transfer.kind for transfer in transfers)
    yield "legs", dict(expected.legs), {leg.destination: leg.outcome for leg in legs}
    yield "left out", set(expected.excluded), {exclusion.destination for exclusion in record.excluded}
    yield "accepted too late", set(expected.late), {leg.destination for leg in legs if leg.lost_by_ms}
    told = {name for name, cause in seen.causes.items() if cause == 26}
    yield "told that the call was answered elsewhere", set(expected.cause_26), told
    if expected.winner is not None:
        heard = seen.heard_ms.get(expected.winner, 0) > 0, seen.heard_ms.get("caller", 0) > 0
        yield "audio to the agent and to the caller", (True, True), heard


def _text(value: object) -> str:
    """A value as text for people."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name} {one}" for name, one in sorted(value.items())) or "none"
        case set():
            return ", ".join(sorted(value)) or "none"
        case tuple():
            return ", ".join(map(_text, value)) or "none"
        case _:
            return str(value)
