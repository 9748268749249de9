"""What a rebuilding of the house cost or gained: this build beside the one before it, in one run.

Both take turns, so that neither has the quieter machine: the bench's own calls through an Asterisk and a switch
of their own, decisions in a large marketplace, and how long commands take to start.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

from ari_app.settings import REPOSITORY
from tests.bench.builds import unpacked
from tests.bench.comparison import Row, table
from tests.bench.cpu import resident_mb
from tests.bench.ladder import WARM_RATE, WARM_S, wait_for_calm
from tests.bench.plan import CALLRACE, COMPARED_RATE
from tests.bench.sipp import Callers, agents, sink
from tests.bench.site import HOME, SiteError, site
from tests.bench.step import Bench, percentile

BEFORE = "f00b431"
ROUNDS = 3
STEP_S = 20
STARTS = 10  # of each command
LIMIT_S = 300

Figures = dict[str, list[float]]


ROWS = (
    Row(f"switch's processor time a call, ms, {COMPARED_RATE} calls/s", "switch_ms", most_ratio=1.02),
    Row("answer to bridged, p95, ms", "bridged_p95_ms", most_ratio=1.02),
    Row("switch, resident, MB", "resident_mb", most_ratio=1.0),
    Row("a decision, p50, us", "decision_p50_us", most_ratio=1.02),
    Row("`callrace --help`, ms", "help_ms", most_ratio=0.8),
    Row("`callrace calls list`, ms", "list_ms", most_ratio=0.8),
)


def report() -> str:
    """The section of RESULTS.md."""
    found: dict[str, Figures] = {"before": defaultdict(list), "now": defaultdict(list)}
    with tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder:
        builds = {"before": unpacked(BEFORE, Path(folder) / "before"), "now": REPOSITORY}
        for _ in range(ROUNDS):
            for name, tree in builds.items():
                _calls(tree, found[name])
        for _ in range(ROUNDS):
            for name, tree in builds.items():
                _decisions(tree, Path(folder) / f"{name}-market", found[name])
        for _ in range(STARTS + 1):  # the first compiles the sources
            for name, tree in builds.items():
                _starts(tree, Path(folder) / f"{name}-home", found[name])
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return section(found, when, os.getloadavg()[0])


def section(found: dict[str, Figures], when: str, load: float) -> str:
    """The figures of both builds as text."""
    lines = [
        "## The house",
        "",
        f"This build and {BEFORE}, the one before it was rebuilt, in turns, in one run on {when}, when {load:.1f}",
        f"processes wanted the processors. Each figure is the median of {ROUNDS} rounds, of commands of {STARTS}.",
        "",
    ]
    before, now = (
        {row.figure: median(found[build][row.figure]) for row in ROWS} for build in ("before", "now")
    )
    return "\n".join([*lines, *table(ROWS, before, now), ""])


def _calls(tree: Path, found: Figures) -> None:
    logs = HOME / "sipp"
    shutil.rmtree(logs, ignore_errors=True)
    with sink() as port, agents(logs, port) as phones, site(phones.uris, tree) as measured:
        bench = Bench(measured, phones, Callers(logs, measured.lab.sip, port))
        bench.step(CALLRACE, WARM_RATE, WARM_S)
        wait_for_calm()
        step = bench.step(CALLRACE, COMPARED_RATE, STEP_S)
        if not step.sustained:
            raise SiteError(f"{step.failed} of {step.calls} calls failed on {tree.name}")
        found["switch_ms"].append(step.switch_ms)
        found["bridged_p95_ms"].append(percentile(step.bridged_ms, 95))
        found["resident_mb"].append(resident_mb(measured.switch))
    print(f"bench: {tree.name}: {step.switch_ms:.2f} ms a call of the switch", flush=True)


def _decisions(tree: Path, folder: Path, found: Figures) -> None:
    """By the build's own part of the bench, on a marketplace that it has applied itself."""
    folder.mkdir(exist_ok=True)
    database = folder / "market.db"
    code = "import sys; from pathlib import Path; from tests.bench import decisions, market; "
    if not database.exists():
        code += "decisions.apply(market.SHAPES[0], Path(sys.argv[1])); "
        _python(tree, "-c", code, str(database))
    cost = json.loads(_python(tree, "-m", "tests.bench.decisions", str(database)))
    found["decision_p50_us"].append(cost["decision_p50_us"])


def _starts(tree: Path, home: Path, found: Figures) -> None:
    environment = {"CALLRACE_HOME": str(home)}
    if not home.exists():
        _python(tree, "-m", "ari_app.cli.main", "db", "upgrade", **environment)
    for figure, words in (("help_ms", ("--help",)), ("list_ms", ("calls", "list"))):
        began = time.perf_counter()
        _python(tree, "-m", "ari_app.cli.main", *words, **environment)
        found[figure].append((time.perf_counter() - began) * 1000)


def _python(tree: Path, *words: str, **environment: str) -> str:
    """What Python says that has this build's modules. Raises SiteError with its last words when it fails."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        (sys.executable, *words),
        cwd=tree,
        env=inherited | {"PYTHONPATH": str(tree)} | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    if done.returncode:
        raise SiteError(f"{' '.join(words[:3])} failed on {tree}:\n{done.stderr[-2000:]}")
    return done.stdout
