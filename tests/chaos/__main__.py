"""`python -m tests.chaos chaos|soak|outage|flood`: makes faults under load and says what it does.

A part of RESILIENCE.md is written of it. Takes root: Asterisk, callers and agents run in a network namespace of the
run's own, in which connections are cut.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from random import Random, SystemRandom

from ari_app.store.calls import calls
from tests.bench.machine import describe
from tests.chaos import flood, namespace, report
from tests.chaos.checks import judge
from tests.chaos.crashes import started_again
from tests.chaos.faults import FAULTS, Fault, Injected, outage
from tests.chaos.load import Load, calling, crowd, phones
from tests.chaos.market import document, rates
from tests.chaos.memory import Memory, resident_mb
from tests.chaos.namespace import NoNamespace
from tests.chaos.report import Run
from tests.chaos.stage import HOME, Stage, StageError, stage
from tests.kit.market import DID

PAUSE_S = (0.5, 4.0)  # between all being well and the next fault
LONGEST_S = 3600.0  # of any run


def main() -> int:
    """0 when everything held, 1 when not, or when it could not be found out."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("suite", choices=("chaos", "soak", "outage", "flood"))
    parser.add_argument("--faults", type=int, default=88, help="of chaos: how many")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="of a soak, an outage or a flood: how long"
    )
    parser.add_argument("--rate", type=int, default=10, help="calls a second")
    parser.add_argument("--seed", type=int, help="repeats a run's faults; unless given, a new one")
    parser.add_argument("--only", action="append", default=[], help="kinds whose names begin so")
    parser.add_argument("--keep", action="store_true", help="write RESILIENCE.md")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    try:
        namespace.enter()
        HOME.mkdir(parents=True, exist_ok=True)
        with (HOME / "chaos.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            text, findings = asyncio.run(_flood(wanted) if wanted.suite == "flood" else _told(wanted))
    except BlockingIOError:
        print("another run is under way; wait for its end", file=sys.stderr)
        return 1
    except (NoNamespace, StageError) as error:
        print(error, file=sys.stderr)
        return 1
    if wanted.keep:
        report.keep(wanted.suite, text)
    print(text)
    return 1 if findings else 0


async def _told(wanted: argparse.Namespace) -> tuple[str, list[str]]:
    """The report of a run, and what must not be."""
    run = await _run(wanted)
    return report.write(run), run.findings()


async def _flood(wanted: argparse.Namespace) -> tuple[str, list[str]]:
    """The report of a flood, and what must not be: callers whom no agent got."""
    load = Load(Random(wanted.seed))
    async with phones(load) as agents:
        uris = {name: agent.uri for name, agent in agents.items()}
        async with stage(document(uris), agents["agent-1"].port, partial(crowd, load)) as made:
            port = int(made.lab.environment["CALLRACE_SIP_PORT"])
            async with calling(load, {DID: wanted.rate}, made.lab.sip, LONGEST_S):
                await asyncio.sleep(flood.BEFORE_S)
                before_mb = resident_mb(made.lab.pid)
                done = await flood.attack(port, wanted.minutes * 60)
                await asyncio.sleep(flood.AFTER_S)
            memory = f"{before_mb:.0f} and {resident_mb(made.lab.pid):.0f} MB"
            left = await made.wait_until_quiet()
            seen, machine = load.every, describe(made.asterisk_version())
    text = flood.write(machine, wanted.rate, seen, done, memory)
    unserved = flood.unserved(seen, done)
    return text, left + ([f"{unserved} callers reached no agent"] if unserved else [])


async def _run(wanted: argparse.Namespace) -> Run:
    seed = SystemRandom().randrange(10**6) if wanted.seed is None else wanted.seed
    _tell(f"seed {seed}")
    random = Random(seed)
    load, memory = Load(Random(seed)), Memory()
    async with phones(load) as agents:
        uris = {name: agent.uri for name, agent in agents.items()}
        async with stage(document(uris), agents["agent-1"].port, partial(crowd, load)) as made:
            async with calling(load, rates(wanted.rate), made.lab.sip, LONGEST_S):
                match wanted.suite:
                    case "soak":
                        injected = await _soak(made, random, wanted, memory)
                    case "outage":
                        injected = await _inject(made, random, iter([outage(wanted.minutes)]), lambda: True)
                    case _:
                        faults = islice(deck(random, _kinds(wanted, FAULTS)), wanted.faults)
                        injected = await _inject(made, random, faults, lambda: True)
            left = await made.wait_until_quiet()
            _keep_records(made)
            return Run(
                name=wanted.suite,
                seed=seed,
                rate=wanted.rate,
                machine=describe(made.asterisk_version()),
                seen=load.every,
                injected=injected,
                verdict=judge(made.switch.engine, made.switch.environment, load.every, injected, left),
                memory=memory.growth(),
            )


def _kinds(wanted: argparse.Namespace, faults: Sequence[Fault]) -> list[Fault]:
    return [one for one in faults if not wanted.only or one.name.startswith(tuple(wanted.only))]


async def _soak(made: Stage, random: Random, wanted: argparse.Namespace, memory: Memory) -> list[Injected]:
    """Only faults that no process dies of: their memory is looked at."""
    pids = {"switch": made.switch_pid, "AGI server": made.agi.pid, "Asterisk": made.lab.pid}
    looking = asyncio.create_task(memory.keep_looking(pids))
    until = time.monotonic() + wanted.minutes * 60
    kinds = [one for one in _kinds(wanted, FAULTS) if not one.kills]
    try:
        return await _inject(made, random, deck(random, kinds), lambda: time.monotonic() < until)
    finally:
        looking.cancel()


def _keep_records(made: Stage) -> None:
    """All that is known of each call, for whoever looks for what went wrong."""
    with (HOME / "calls.jsonl").open("w") as file:
        file.writelines(json.dumps(asdict(record)) + "\n" for record in calls.every(made.switch.engine))


def deck(random: Random, kinds: Sequence[Fault]) -> Iterator[Fault]:
    """Faults in an order of chance, of each kind as many. Endless."""
    while True:
        yield from random.sample(kinds, len(kinds))


async def _inject(
    made: Stage, random: Random, faults: Iterator[Fault], is_to_go_on: Callable[[], bool]
) -> list[Injected]:
    injected: list[Injected] = []
    async with started_again(made, injected):
        await asyncio.sleep(random.uniform(*PAUSE_S))
        for fault in faults:
            if not is_to_go_on():
                break
            at = time.time()
            async with fault.make(made):
                await asyncio.sleep(random.uniform(*fault.lasts_s))
                mended_at = time.time()
            await made.wait_until_well()
            injected.append(Injected(fault, at, mended_at, time.time()))
            _tell(f"{len(injected)}: {fault.name}, well again after {injected[-1].recovery_s:.1f} s")
            await asyncio.sleep(random.uniform(*PAUSE_S))
    return injected


def _tell(text: str) -> None:
    print(f"chaos: {text}", flush=True)


sys.exit(main())
