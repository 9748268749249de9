"""`python -m tests.fuzz [SECONDS]`: each target for so long (600), with inputs that are new every time.

The first input that breaks something is printed, as small as it can be made; exit code 1.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import time
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.targets import TARGETS, Target

AT_ONCE = 1_000
SLOWEST = timedelta(seconds=5)


def run(target: Target, seconds: float) -> int:
    """Tries inputs for so long; how many. Raises what a check raises."""
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


def main() -> None:
    """Prints how many inputs each target has withstood."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=600, help="for each target (%(default)s)")
    seconds = parser.parse_args().seconds
    logging.disable()  # what is dropped is logged, and here nearly all is
    for name, target in TARGETS.items():
        print(f"{name}: {run(target, seconds):,} inputs in {seconds:g} s, none breaks anything", flush=True)


main()
