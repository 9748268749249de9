"""`python -m tests.bench [PART ...]`: measures, prints as it goes, writes its parts of RESULTS.md.

The calls take ten minutes. `growth` takes ten more, `house` seven, and `reports` seven and 20 GB in the temporary
folder, so they are measured only when they are named.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import agi, assignment, contention, decisions, growth, house, report, reporting, settling
from tests.bench.ladder import climb
from tests.bench.machine import describe
from tests.bench.market import SHAPES
from tests.bench.sipp import Callers, agents, sink
from tests.bench.site import HOME, SiteError, site
from tests.bench.step import Bench, Step

RESULTS = Path(__file__).with_name("RESULTS.md")
ONLY_NAMED = ("growth", "house", "reports")
_MARK, _END = "<!-- part ", " -->\n"


def main() -> int:
    """0 when it has measured, whatever the figures; 1 when it could not."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help=f"{', '.join(PARTS)}; unless given, all but {', '.join(ONLY_NAMED)}",
    )
    wanted = parser.parse_args().parts or [part for part in PARTS if part not in ONLY_NAMED]
    if unknown := [part for part in wanted if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "bench.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for part in wanted:
                _tell(f"measuring {part}")
                _keep(part, PARTS[part]())
        except BlockingIOError:
            print(f"another bench is under way ({lock.name} is locked); wait for its end", file=sys.stderr)
            return 1
        except SiteError as error:
            print(error, file=sys.stderr)
            return 1
    print(RESULTS.read_text())
    return 0


def _keep(part: str, text: str) -> None:
    """Puts a part in place of what RESULTS.md had of it."""
    kept = RESULTS.read_text().split(_MARK)[1:] if RESULTS.exists() else []
    sections = dict(section.split(_END, 1) for section in kept) | {part: text}
    RESULTS.write_text("".join(f"{_MARK}{name}{_END}{sections[name]}" for name in PARTS if name in sections))


def _calls() -> str:
    """Calls through Asterisk, and decisions."""
    costs = {}
    for shape in SHAPES:
        _tell(f"decisions of {shape.campaigns} campaigns of {shape.destinations_each} destinations")
        costs[shape] = decisions.measure(shape)
    machine, steps = _measure_calls()
    return report.write(machine, steps, costs)


def _measure_calls() -> tuple[dict[str, str], list[Step]]:
    _tell("starting Asterisk and the switch")
    logs = HOME / "sipp"
    shutil.rmtree(logs, ignore_errors=True)
    with sink() as port, agents(logs, port) as phones, site(phones.uris) as measured:
        machine = describe(measured.asterisk_version())
        return machine, climb(Bench(measured, phones, Callers(logs, measured.lab.sip, port)), _tell)


PARTS: dict[str, Callable[[], str]] = {
    "calls": _calls,
    "agi": agi.report,
    "settling": settling.report,
    "contention": contention.report,
    "assignment": assignment.report,
    "growth": growth.report,
    "house": house.report,
    "reports": reporting.report,
}


def _tell(text: str) -> None:
    print(f"bench: {text}", flush=True)


sys.exit(main())
