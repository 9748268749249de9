"""`python -m tests.bench`: measures, prints as it goes, writes RESULTS.md. About ten minutes."""

from __future__ import annotations

import argparse
import fcntl
import shutil
import signal
import sys
from pathlib import Path

from tests.bench import decisions, report
from tests.bench.ladder import climb
from tests.bench.machine import describe
from tests.bench.market import SHAPES
from tests.bench.sipp import Callers, agents, sink
from tests.bench.site import HOME, SiteError, site
from tests.bench.step import Bench, Step

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> int:
    """0 when it has measured, whatever the figures; 1 when it could not."""
    argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__).parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "bench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _measure()
        except BlockingIOError:
            print(f"another bench is under way ({lock.name} is locked); wait for its end", file=sys.stderr)
            return 1
        except SiteError as error:
            print(error, file=sys.stderr)
            return 1
    print(RESULTS.read_text())
    return 0


def _measure() -> None:
    costs = {}
    for shape in SHAPES:
        _tell(f"decisions of {shape.campaigns} campaigns of {shape.destinations_each} destinations")
        costs[shape] = decisions.measure(shape)
    machine, steps = _measure_calls()
    RESULTS.write_text(report.write(machine, steps, costs))


def _measure_calls() -> tuple[dict[str, str], list[Step]]:
    _tell("starting Asterisk and the switch")
    logs = HOME / "sipp"
    shutil.rmtree(logs, ignore_errors=True)
    with sink() as port, agents(logs, port) as phones, site(phones.uris) as measured:
        machine = describe(measured.asterisk_version())
        return machine, climb(Bench(measured, phones, Callers(logs, measured.lab.sip, port)), _tell)


def _tell(text: str) -> None:
    print(f"bench: {text}", flush=True)


sys.exit(main())
