"""`python -m tests.chaos [chaos|soak]`: makes faults under load, says what it does, writes its part of RESILIENCE.md.

Takes root, and no container engine: Asterisk, callers and agents run in a network namespace of the run's own.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from random import Random, SystemRandom

from ari_app.store import calls

from tests.chaos import namespace
from tests.chaos.checks import CHARGED_FROM_S, Verdict, judge
from tests.chaos.faults import FAULTS, Fault, Injected
from tests.chaos.load import Load, calling, phones
from tests.chaos.namespace import NoNamespace
from tests.chaos.stage import HOME, Stage, StageError, stage
from tests.live.exchange import DID, marketplace

CAPPED_DID = "+18005550102"
PAUSE_S = (0.5, 4.0)  # between all being well and the next fault
A_FAULT_S = 60.0  # at most, on average


def main() -> int:
    """0 when everything held, 1 when not, or when it could not be found out."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=112, help="how many")
    parser.add_argument("--rate", type=int, default=10, help="calls a second")
    parser.add_argument("--seed", type=int, help="repeats a run's faults; unless given, a new one")
    parser.add_argument("--only", action="append", help="kinds whose names begin so")
    wanted = parser.parse_args()
    try:
        namespace.enter()
        HOME.mkdir(parents=True, exist_ok=True)
        with (HOME / "chaos.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            seed = SystemRandom().randrange(10**6) if wanted.seed is None else wanted.seed
            _tell(f"seed {seed}")
            kinds = [one for one in FAULTS if not wanted.only or one.name.startswith(tuple(wanted.only))]
            verdict, injected = asyncio.run(_run(Random(seed), kinds, wanted.faults, wanted.rate))
    except (NoNamespace, StageError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{verdict.called} calls, {verdict.connected} connected, {verdict.unreached} unreached, {verdict.charged} charged")
    for finding in verdict.findings():
        _tell(f"WRONG {finding}")
    return 1 if verdict.findings() else 0


async def _run(
    random: Random, kinds: Sequence[Fault], count: int, rate: int
) -> tuple[Verdict, list[Injected]]:
    load = Load(random)
    async with phones(load) as agents:
        uris = {name: agent.uri for name, agent in agents.items()}
        async with stage(document(uris), agents["agent-1"].port) as made:
            rates = {DID: rate - rate // 5, CAPPED_DID: rate // 5}
            async with calling(load, rates, made.lab.sip, count * A_FAULT_S):
                injected = await _inject(made, random, deck(random, kinds, count))
            left = await made.wait_until_quiet()
            _keep_records(made)
            verdict = judge(
                made.switch.engine, made.switch.environment, load.calls.values(), injected, left
            )
            return verdict, injected


def _keep_records(made: Stage) -> None:
    """All that is known of each call, for whoever looks for what went wrong."""
    with (HOME / "calls.jsonl").open("w") as file:
        file.writelines(json.dumps(asdict(record)) + "\n" for record in calls.every(made.switch.engine))


def document(uris: dict[str, str]) -> dict[str, object]:
    """Two campaigns of the same agents: one of them has a cap, so its calls want a reservation each."""
    made = marketplace(
        uris,
        accept="answer",
        qualify=[{"connected_at_least": f"{CHARGED_FROM_S:g}s"}],
        destination={"capacity": 1000, "auto_pause": {"per_hour": 0, "per_day": 0}},
    )
    made["campaigns"]["capped"] = made["campaigns"]["plumbing"] | {"caps": [{"max": 1_000_000, "per": "day"}]}
    made["numbers"][CAPPED_DID] = {"campaign": "capped", "publisher": "homefix", "source": "banner"}
    shared: dict[str, object] = json.loads(json.dumps(made))  # YAML would make anchors of what is there twice
    return shared


def deck(random: Random, kinds: Sequence[Fault], count: int) -> list[Fault]:
    """So many faults in an order of chance, of each kind as many."""
    faults: list[Fault] = []
    while len(faults) < count:
        faults += random.sample(kinds, len(kinds))
    return faults[:count]


async def _inject(made: Stage, random: Random, faults: Sequence[Fault]) -> list[Injected]:
    injected = []
    for n, fault in enumerate(faults, 1):
        await asyncio.sleep(random.uniform(*PAUSE_S))
        at = time.time()
        async with fault.make(made):
            await asyncio.sleep(random.uniform(*fault.lasts_s))
            mended_at = time.time()
        await made.wait_until_well()
        injected.append(Injected(fault, at, mended_at, time.time()))
        _tell(f"{n} of {len(faults)}: {fault.name}, well again after {injected[-1].recovery_s:.1f} s")
    await asyncio.sleep(random.uniform(*PAUSE_S))
    return injected


def _tell(text: str) -> None:
    print(f"chaos: {text}", flush=True)


sys.exit(main())
