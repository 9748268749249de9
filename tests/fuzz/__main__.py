"""`python -m tests.fuzz [SECONDS]`: each target for so long (600), with inputs that are new every time.

Two engines at once: Hypothesis makes inputs of good ones, atheris steers its own to code that none has reached yet.
The first input that breaks something is printed, Hypothesis' as small as it can be made; exit code 1.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import secrets
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from ari_app.settings import REPOSITORY
from tests.fuzz.targets import TARGETS, Target

AT_ONCE = 1_000
SLOWEST = timedelta(seconds=5)
ATHERIS = REPOSITORY / "var" / "atheris"  # where `make fuzz` puts it
ENDS_S = 60.0
_RUNS = re.compile(r"number_of_executed_units: (\d+)")


def run(target: Target, seconds: float) -> int:
    """Tries Hypothesis' inputs for so long; how many. Raises what a check raises."""
    tried = 0

    def attempt(value: Any) -> None:
        nonlocal tried
        tried += 1
        target.check(value)

    bounded = settings(
        max_examples=AT_ONCE, deadline=SLOWEST, database=None, suppress_health_check=list(HealthCheck)
    )
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        seed(secrets.randbits(64))(bounded(given(target.inputs)(attempt)))()
    return tried


def guided(name: str, folder: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Starts atheris on a target."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            (sys.executable, "-m", "tests.fuzz.guided", name, str(folder), f"{seconds:.0f}"),
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": str(ATHERIS)},
            stdout=log,
            stderr=log,
        )


def main() -> int:
    """Prints how many inputs each target has withstood."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=600, help="for each target (%(default)s)")
    seconds = parser.parse_args().seconds
    if not ATHERIS.exists():
        print("atheris is not here: run `make fuzz`", file=sys.stderr)
        return 1
    logging.disable()  # what is dropped is logged, and here nearly all is
    for name, target in TARGETS.items():
        with TemporaryDirectory(prefix="callrace-fuzz-") as folder:
            beside = guided(name, Path(folder), seconds)
            try:
                tried = run(target, seconds)
                code = beside.wait(ENDS_S)
            finally:
                beside.kill()
            told = (Path(folder) / "log").read_text(errors="replace")
            runs = _RUNS.search(told)
            if code or runs is None:
                print(f"{name}: atheris found something, or failed:\n{told[-4000:]}")
                return 1
        steered = int(runs[1])
        print(f"{name}: {tried:,} + {steered:,} inputs in {seconds:g} s, none breaks anything", flush=True)
    return 0


sys.exit(main())
