"""What the demo prints. Why a call was paid or not is told in the words of `callrace calls explain`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from ari_app.cli.demo.play import Seen
from ari_app.cli.demo.scenarios import Scenario
from ari_app.cli.demo.timeline import timeline
from ari_app.cli.output import show_sections, show_table, show_title
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.balances import Balances
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.flows import Flow
from ari_app.views.explain import explain
from ari_app.views.sections import Section

_ACCOUNTS = {
    "advertiser": "what is left of the money paid in",
    "publisher": "earned",
    "exchange": "kept: the price less the payout",
    "world": "where the money paid in comes from",
}


class Steps:
    """The demo's steps, each told when it begins, with the seconds since the demo began."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def tell(self, text: str) -> None:
        """Prints a step."""
        click.echo(f"[{self.elapsed_s():4.1f} s] {text}")

    def elapsed_s(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started


def tell_opening(file: str) -> None:
    """What is about to be seen."""
    show_title("Callrace: pay-per-call on a real Asterisk")
    click.echo(
        f"The marketplace is {file}. The callers and the agents' phones are SIPp processes on this\n"
        "machine; their calls, keys and voices go through Asterisk as anybody's would."
    )
    click.echo()


def tell_call(
    number: int,
    scenario: Scenario,
    record: CallRecord,
    seen: Seen,
    transfers: Sequence[Transfer],
    flow: Flow | None,
) -> None:
    """One call: what was done, what happened when, and what came of it."""
    told = {section.title: section.lines for section in explain(record, transfers)}
    _, in_short = next(iter(told.values()))
    sections = [
        Section(f"=== Call {number}: {scenario.name} ===", [scenario.story]),
        Section("What happened, by seconds since the call began", list(timeline(record, flow))),
        Section("What came of it", [in_short, *_audio(record, seen)]),
    ]
    if record.connected_at is not None:
        sections += [Section(title, told[title]) for title in ("Was it a payable call?", "The money")]
    click.echo()
    show_sections(sections)


def tell_verdict(wrong: Sequence[str]) -> None:
    """Whether a call ended as it should."""
    click.echo()
    if wrong:
        click.echo(click.style("NOT as expected:", fg="red"))
        for line in wrong:
            click.echo(f"  - {line}")
    else:
        click.echo(click.style("As expected.", fg="green"))


def tell_summary(calls: Sequence[tuple[Scenario, CallRecord]]) -> None:
    """All calls, a line each."""
    click.echo()
    show_title("=== The calls ===")
    columns = ("call", "from", "outcome", "winner", "payable", "charged", "paid")
    show_table(columns, [_summary(scenario, record) for scenario, record in calls])


def tell_balances(balances: Balances, balanced: bool) -> None:
    """Who has what at the end."""
    click.echo()
    show_title("=== The money ===")
    columns = ("account", "balance", "currency", "meaning")
    rows = [
        (account, format_amount(balance.posted, currency), currency, _ACCOUNTS[account.partition(":")[0]])
        for (account, currency), balance in balances.items()
    ]
    show_table(columns, rows)
    click.echo(
        "The sum is zero, and every transfer agrees with its call." if balanced else "It does not add up."
    )


def tell_ending(report: Path, calls: Sequence[tuple[Scenario, CallRecord]]) -> None:
    """Where to look further."""
    click.echo()
    show_title("=== Look further ===")
    click.echo(f"All of it as JSON: {_short(report)}")
    click.echo("Why each call went where it went, and was or was not paid:")
    for scenario, record in calls:
        click.echo(f"  {sys.argv[0]} calls explain {record.id}  # {scenario.name}")


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
    agent, caller = (seen.heard_ms.get(name, 0) / 1000 for name in (record.winner, "caller"))
    return [
        f"Voices: {record.winner} heard the caller for {agent:.1f} s, "
        f"the caller heard {record.winner} for {caller:.1f} s."
    ]


def _short(path: Path) -> str:
    """The path as one types it here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
