"""The chaos suite in short: a fault of each of thirteen kinds, under load. `make chaos` is the long one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.live.lab import REPO

pytestmark = pytest.mark.live

KINDS = (
    "desk at work",
    "switch killed, desk at work",
    "switch killed (-9)",
    "switch drained",
    "switch handed over",
    "Asterisk killed",
    "ARI connections reset",
    "AGI server killed",
    "agent's network lost",
    "database stopped",
    "database read-only",
    "database connections hung",
    "disk full, database stopped",
)


@pytest.mark.timeout(520)
def test_no_fault_loses_a_record_or_makes_a_wrong_charge() -> None:
    only = [word for kind in KINDS for word in ("--only", kind)]
    command = (sys.executable, "-m", "tests.chaos", "chaos", "--faults", str(len(KINDS)), *only)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLRACE_")}
    ended = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=510)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert f"| faults injected | {len(KINDS)} |" in ended.stdout
    assert f"| kinds of fault | {len(KINDS)} |" in ended.stdout
