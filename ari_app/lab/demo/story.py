"""The demo's text about its calls and money. Why a call was paid is taken from its explanation. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.balances import Balances
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.flows import Flow
from ari_app.lab.demo.play import Seen
from ari_app.lab.demo.scenarios import Scenario
from ari_app.lab.demo.timeline import timeline
from ari_app.views.explain import explain
from ari_app.views.sections import Listing, Section
from ari_app.views.words import tenths

_ACCOUNTS = {
    "advertiser": "what is left of the money paid in",
    "publisher": "earned",
    "exchange": "kept: the price less the payout",
    "world": "where the money paid in comes from",
}


def call_sections(
    number: int,
    scenario: Scenario,
    record: CallRecord,
    seen: Seen,
    transfers: Sequence[Transfer],
    flow: Flow | None,
) -> list[Section]:
    """One call: what the parties did, the timeline, and the result."""
    told = {section.title: section.lines for section in explain(record, transfers)}
    _, in_short = next(iter(told.values()))
    sections = [
        Section(f"=== Call {number}: {scenario.name} ===", [scenario.story]),
        Section("What happened, by seconds since the call began", list(timeline(record, flow))),
        Section("What came of it", [in_short, *_audio(record, seen)]),
    ]
    if record.connected_at is not None:
        sections += [Section(title, told[title]) for title in ("Was it a payable call?", "The money")]
    return sections


def summary(calls: Sequence[tuple[Scenario, CallRecord]]) -> Listing:
    """All calls, one row each."""
    columns = ("call", "from", "outcome", "winner", "payable", "charged", "paid")
    return Listing("=== The calls ===", columns, [_summary(scenario, record) for scenario, record in calls])


def accounts(balances: Balances) -> Listing:
    """The balances at the end."""
    columns = ("account", "balance", "currency", "meaning")
    rows = [
        (account, format_amount(balance.posted, currency), currency, _ACCOUNTS[account.partition(":")[0]])
        for (account, currency), balance in balances.items()
    ]
    return Listing("=== The money ===", columns, rows)


def _summary(scenario: Scenario, record: CallRecord) -> tuple[object, ...]:
    verdict, money = record.qualification, record.money
    return (
        scenario.name,
        record.ani,
        record.disposition,
        record.winner,
        "yes" if verdict and verdict.qualified else "no",
        money and format_amount(money.charged, money.currency),
        money and format_amount(money.paid, money.currency),
    )


def _audio(record: CallRecord, seen: Seen) -> list[str]:
    if record.winner is None:
        return []
    agent, caller = (tenths(seen.heard_ms.get(name, 0)) for name in (record.winner, "caller"))
    return [
        f"Voices: {record.winner} heard the caller for {agent} s, "
        f"the caller heard {record.winner} for {caller} s."
    ]
