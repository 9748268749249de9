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
from dataclasses import dataclass
from pathlib import Path

from ari_app.settings import REPOSITORY
from tests.bench.builds import unpacked
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


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `most` is the target, or with `is_least` the least."""

    what: str
    figure: str
    most: float | None = None
    is_least: bool = False

    def is_met(self, value: float) -> bool:
        """Whether the figure reaches the target."""
        return self.most is None or (value >= self.most if self.is_least else value <= self.most)


ROWS = (
    Row("a start until it can serve, s", "start_s", 3),
    Row("... longest gap until callers of before are known, ms", "start_gap_ms", 50),
    Row("... resident, MB", "start_resident_mb", 350),
    Row("a pause, longest gap, ms", "pause_gap_ms", 50),
    Row("a number handed out, ms", "number_gap_ms", 50),
    Row("an apply of other prices and destinations, ms", "apply_gap_ms", 50),
    Row("a longer repeat window, ms", "window_gap_ms", 50),
    Row("resident after all of it, MB", "resident_mb", 350),
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
    Row("... memory, MB", "peak_mb", 250),
    Row("... then saved from the spool, calls a second", "drained_a_second", 1_000, is_least=True),
    Row("50 calls/s with caps, turned away in a thousand", "turned_away_thousandths", 1),
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
        "| what | before | now | now/before | target | met |",
        "|---|---:|---:|---:|---:|---|",
    ]
    return "\n".join([*lines, *(_line(row, found["before"], found["now"]) for row in ROWS), ""])


def _line(row: Row, before: Figures, now: Figures) -> str:
    then, value = before.get(row.figure), now[row.figure]
    ratio = f"{value / then:.3g}" if then else "-"
    target = "" if row.most is None else f"{'at least' if row.is_least else 'at most'} {row.most:,g}"
    met = "" if row.most is None else "yes" if row.is_met(value) else "**no**"
    shown = "-" if then is None else f"{then:,.1f}"
    return f"| {row.what} | {shown} | {value:,.1f} | {ratio} | {target} | {met} |"


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
