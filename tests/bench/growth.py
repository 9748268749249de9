"""What does not grow with the marketplace and its history, measured on this build and on the one before it.

The build before is taken from the repository into a folder of the bench's own; both run the same probes
(`growthprobe.py`), one after the other, on the same database.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from ari_app.settings import REPOSITORY
from tests.bench.builds import unpacked
from tests.bench.comparison import Row, table
from tests.bench.site import SiteError
from tests.store.postgres import running_cluster

BEFORE = "85c94ae"
MANY = 1_000_000  # calls in the window
FEW = 10_000
ENDED_IN_OUTAGE = 6_000
CAPPED_S = 20
LIMIT_S = 900
PROBE = Path(__file__).with_name("growthprobe.py")

Figures = dict[str, float]


ROWS = (
    Row("a start until it can serve, s", "start_s", most=3),
    Row("... longest gap until callers of before are known, ms", "start_gap_ms", most=50),
    Row("... resident, MB", "start_resident_mb", most=350),
    Row("a pause, longest gap, ms", "pause_gap_ms", most=50),
    Row("a number handed out, ms", "number_gap_ms", most=50),
    Row("an apply of other prices and destinations, ms", "apply_gap_ms", most=50),
    Row("a longer repeat window, ms", "window_gap_ms", most=50),
    Row("resident after all of it, MB", "resident_mb", most=350),
    Row("a hand-over of 2,000 calls, ms", "hand_over_ms"),
    *(
        Row(f"{what}, ms, {size:,} calls", f"{name}_{size}")
        for what, name in (
            ("a call by the beginning of its id", "get_ms"),
            ("an adjustment", "adjust_ms"),
            ("what a trunk has spent", "spend_ms"),
            ("an earlier call of a caller", "earlier_ms"),
            ("a call that the dialplan served", "outcome_ms"),
        )
        for size in (FEW, MANY)
    ),
    Row("an outage: processor time a call, the first 2,000, us", "first_us"),
    Row(f"... the last of {ENDED_IN_OUTAGE:,}, us", "last_us"),
    Row("... memory, MB", "peak_mb", most=250),
    Row("... then saved from the spool, calls a second", "drained_a_second", least=1_000),
    Row("50 calls/s with caps, answered later than 50 ms in a thousand", "late_thousandths", most=1),
)


def report() -> str:
    """The section of RESULTS.md."""
    with tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder:
        home = Path(folder)
        before = unpacked(BEFORE, home / "before")
        builds = {"before": before, "now": REPOSITORY}
        databases = {size: _made(before, home / f"{size}" / "callrace.db", size) for size in (FEW, MANY)}
        found = {name: _measure(tree, home / name, databases) for name, tree in builds.items()}
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return section(found, when, os.getloadavg()[0])


def section(found: dict[str, Figures], when: str, load: float) -> str:
    """The figures of both builds as text."""
    lines = [
        "## Growth",
        "",
        f"10,000 destinations, 50,000 numbers, {MANY:,} calls in the month of the repeat window, on SQLite; this build",
        f"and {BEFORE}, the one before, in one run on {when}, when {load:.1f} processes wanted the processors.",
        "Gaps are the longest times for which the event loop did nothing else, while 20 calls a second end and are",
        "saved. Each look-up is the median of five. Caps on PostgreSQL, while the calls are saved and another process",
        "rebuilds a day's reports over and over. In the outage the journal's file is full at an eighth of its size, to",
        "be so often; the spool's rate counts from the first batch on that the database has again.",
        "",
    ]
    return "\n".join([*lines, *table(ROWS, found["before"], found["now"]), ""])


def _made(tree: Path, database: Path, size: int) -> Path:
    database.parent.mkdir(parents=True)
    _probe(tree, "make", str(database), str(size))
    return database


def _measure(tree: Path, home: Path, databases: dict[int, Path]) -> Figures:
    found: Figures = {}
    for size, made in databases.items():
        database = home / f"{size}" / "callrace.db"
        database.parent.mkdir(parents=True)
        shutil.copy(made, database)
        _probe(tree, "upgrade", str(database))
        asked = _probe(tree, "ask", str(database), str(size))
        found |= {f"{name}_{size}": value for name, value in asked.items()}
        if size == MANY:
            found |= _probe(tree, "serve", str(database), str(time.monotonic()))
        shutil.rmtree(database.parent)
    folder = home / "outage"
    folder.mkdir()
    found |= _probe(tree, "outage", str(folder), str(ENDED_IN_OUTAGE))
    with running_cluster() as url:
        found |= _probe(tree, "capped", url, str(CAPPED_S))
    return found


def _probe(tree: Path, *words: str) -> Figures:
    """Runs one probe on a build. Raises SiteError with what it said when it fails.

    `-S`: what a build does not have is not to be taken from the one that is installed for editing."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(tree), sysconfig.get_path("purelib")))}
    command = (sys.executable, "-S", "-P", str(PROBE), *words)
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode:
        raise SiteError(f"the probe {words[0]} failed on {tree}:\n{done.stderr[-2000:]}")
    figures: Figures = json.loads(done.stdout)
    print(f"bench: {words[0]} on {tree.name}: {figures}", flush=True)
    return figures
