"""The demo, from its first line to its last."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Engine

from ari_app.cli.common import Failed, now_ms
from ari_app.cli.demo import telling
from ari_app.cli.output import show_listings, show_sections
from ari_app.domain.basics.money import format_amount, parse_amount
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.balances import Balances
from ari_app.domain.ledger.transfers import Transfer, deposit
from ari_app.domain.ledger.verification import verify
from ari_app.domain.market.marketplace import Marketplace
from ari_app.lab.demo.errors import CannotPlay, SwitchServes
from ari_app.lab.demo.play import Seen, check_ports, place, saved
from ari_app.lab.demo.scenarios import SCENARIOS, Scenario
from ari_app.lab.demo.stage import Stage, left_behind, open_stage, present
from ari_app.lab.demo.story import call_sections, summary
from ari_app.lab.demo.verdict import differences
from ari_app.lab.sipp import NotSeen, SippFailed
from ari_app.settings import REPOSITORY
from ari_app.store.calls import calls
from ari_app.store.db.engine import open_engine
from ari_app.store.ledger import ledger
from ari_app.views.record import record_json

MARKETPLACE = REPOSITORY / "config" / "demo.yaml"
ADVERTISER = "acme-plumbing"
DEPOSIT = "500.00"


@dataclass(slots=True)
class Played:
    """A scenario after its call. `wrong`: one line for each difference from what is expected."""

    scenario: Scenario
    record: CallRecord | None = None
    seen: Seen = field(default_factory=Seen)
    transfers: list[Transfer] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@click.command()
def demo() -> None:
    """Place real calls through a real Asterisk and show what became of each, and of the money.

    Takes less than a minute, once Asterisk is installed. Everything is in HOME/demo: a lab with its own ports,
    which is stopped at the end, a new database, and report.json. Exit code 1 when an outcome is not the
    expected one.
    """
    try:
        wrong = asyncio.run(_demo())
    except asyncio.CancelledError:
        raise Failed("the demo was interrupted; everything it had started is ended") from None
    except SwitchServes as error:
        raise Failed(f"{error}; stop it with `callrace lab down`, because the demo brings its own") from error
    except CannotPlay as error:
        raise Failed(str(error)) from error
    if wrong:
        raise Failed("\n".join(wrong))


async def _demo() -> list[str]:
    """Plays all calls and prints them; returns one line for each difference from what is expected."""
    _end_on_signals()
    marketplace = parse(MARKETPLACE.read_text(), str(MARKETPLACE))
    check_ports(marketplace)
    telling.tell_opening("config/demo.yaml")
    steps = telling.Steps()
    steps.tell("starting an Asterisk and a switch of the demo's own")
    async with open_stage() as stage:
        steps.tell("putting the marketplace in force")
        await stage.callrace("apply", str(MARKETPLACE))
        engine = open_engine(stage.settings.database_url)
        steps.tell(f"{ADVERTISER} pays {DEPOSIT} {marketplace.currency} in advance")
        _pay_in(engine, marketplace)
        steps.tell(f"placing {len(SCENARIOS)} calls; those that ring different phones run side by side")
        before = await present(stage.settings)
        played = await _play_all(stage, engine, marketplace)
        wrong = [line for one in played for line in one.wrong]
        wrong += await left_behind(stage.settings, before)
        click.echo()
        steps.tell("all calls are over; ending Asterisk and the switch")
    wrong += _account_for(engine, stage.folder / "report.json", played)
    click.echo()
    steps.tell("done: NOT all is as expected" if wrong else "done: every call ended as expected")
    return wrong


def _end_on_signals() -> None:
    """The first signal cancels the demo, which then cleans up; further signals are ignored."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    is_ending = False

    def end() -> None:
        nonlocal is_ending
        if not is_ending:
            is_ending = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)


def _pay_in(engine: Engine, marketplace: Marketplace) -> None:
    """Books the prepaid advertiser's deposit, before the first call."""
    amount = parse_amount(DEPOSIT, marketplace.currency)
    ledger.post(
        engine, deposit("demo", ADVERTISER, amount, marketplace.currency, now_ms(), "paid in advance")
    )


async def _play_all(stage: Stage, engine: Engine, marketplace: Marketplace) -> list[Played]:
    """Plays every scenario as soon as the scenario before it (`after`) is over; prints them in their order."""
    tasks: dict[str, asyncio.Task[Played]] = {}
    known: set[str] = set()

    async def play(scenario: Scenario) -> Played:
        if scenario.after is not None:
            await tasks[scenario.after]
        return await _play(scenario, stage, engine, marketplace, known)

    async with asyncio.TaskGroup() as group:
        for scenario in SCENARIOS:
            tasks[scenario.name] = group.create_task(play(scenario))
        for number, task in enumerate(tasks.values(), start=1):
            _tell_call(number, await task, marketplace)
    return [task.result() for task in tasks.values()]


async def _play(
    scenario: Scenario, stage: Stage, engine: Engine, marketplace: Marketplace, known: set[str]
) -> Played:
    played = Played(scenario)
    try:
        played.seen = await place(scenario, marketplace, stage.sip)
    except (NotSeen, SippFailed) as error:
        played.wrong = [f"{scenario.name}: {error}"]
    played.record = await saved(engine, scenario, known)
    if played.record is None:
        played.wrong.append(f"{scenario.name}: no record of the call was saved")
        return played
    known.add(played.record.id)
    played.transfers = ledger.of_call(engine, played.record.id)
    played.wrong += differences(scenario, played.record, played.seen, played.transfers)
    return played


def _tell_call(number: int, played: Played, marketplace: Marketplace) -> None:
    record = played.record
    if record is not None:
        campaign = marketplace.campaigns.get(record.campaign or "")
        flow = marketplace.flows[campaign.flow] if campaign and campaign.flow else None
        click.echo()
        show_sections(call_sections(number, played.scenario, record, played.seen, played.transfers, flow))
    telling.tell_verdict(played.wrong)


def _account_for(engine: Engine, report: Path, played: list[Played]) -> list[str]:
    """Prints all calls and balances, and writes the report; returns one line for each error in the ledger."""
    balances = ledger.balances(engine)
    findings = verify(list(ledger.all_transfers(engine)), calls.every(engine), now_ms())
    total = sum(balance.posted for balance in balances.values())
    balanced = not findings and total == 0
    _write_report(report, played, balances, balanced)
    recorded = [(one.scenario, one.record) for one in played if one.record]
    show_listings([summary(recorded)])
    telling.tell_balances(balances, balanced)
    telling.tell_ending(report, recorded)
    wrong = [f"ledger: {finding.rule}: {finding.about}: {finding.detail}" for finding in findings]
    return wrong + ([f"ledger: the balances add up to {total}, not to zero"] if total else [])


def _write_report(file: Path, played: list[Played], balances: Balances, balanced: bool) -> None:
    report: dict[str, Any] = {
        "calls": [{"scenario": one.scenario.name, **record_json(one.record)} for one in played if one.record],
        "ledger": {
            "balanced": balanced,
            "balances": {
                account: format_amount(balance.posted, currency)
                for (account, currency), balance in balances.items()
            },
        },
    }
    file.write_text(json.dumps(report, indent=2) + "\n")
