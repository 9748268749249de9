"""Rates upward, both paths alternating, until each has failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from tests.bench import cpu
from tests.bench.plan import CALLRACE, CALM_BUSY, CALM_WAIT_S, FINER, NATIVE, RATES, STEP_S, TRIES
from tests.bench.step import Bench, Step

WARM_RATE, WARM_S = 10, 5


def climb(bench: Bench, tell: Callable[[str], None]) -> list[Step]:
    """Every step taken, in the order in which they were; those that were tried again, too."""
    for path in (NATIVE, CALLRACE):
        bench.step(path, WARM_RATE, WARM_S)
    steps: list[Step] = []
    failed: set[str] = set()
    for rate in RATES:
        for path in (NATIVE, CALLRACE):
            if path not in failed:
                steps += _try(bench, path, rate, tell)
                if not steps[-1].sustained:
                    failed.add(path)
                    steps += _try(bench, path, rate - FINER, tell) if rate - FINER not in (0, *RATES) else []
        if len(failed) == 2:
            break
    return steps


def _try(bench: Bench, path: str, rate: int, tell: Callable[[str], None]) -> Iterator[Step]:
    for _ in range(TRIES):
        wait_for_calm()
        step = bench.step(path, rate, STEP_S)
        verdict = "sustained" if step.sustained else "failed"
        tell(f"{path} at {rate} calls/s: {verdict}, {step.failed} of {step.calls} calls failed")
        yield step
        if step.sustained:
            return


def wait_for_calm() -> None:
    """Waits, a bounded time, until nobody else works on the machine: it would be measured, too."""
    for _ in range(CALM_WAIT_S):
        before = cpu.machine_busy_ms()
        time.sleep(1)
        if cpu.machine_busy_ms() - before <= CALM_BUSY * 1000:
            return


def knee(steps: Sequence[Step], path: str) -> int:
    """The highest rate that was sustained; 0 when none was."""
    return max((step.rate for step in steps if step.path == path and step.sustained), default=0)


def at(steps: Sequence[Step], path: str, rate: int) -> Step:
    """The last step of a path at a rate."""
    return next(step for step in reversed(steps) if (step.path, step.rate) == (path, rate))
