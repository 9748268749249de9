"""One step: so many calls at one rate through one of the two, and what it took."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from tests.bench import cpu
from tests.bench.plan import EXTENSION, MAX_BRIDGED_P95_MS, MAX_FAILED, MAX_INVITED_P95_MS
from tests.bench.sipp import Agents, Callers, Times
from tests.bench.site import Site

LATE_S = 30.0  # how long after the last call began the last must be over


@dataclass(frozen=True, slots=True)
class Step:
    """What was measured, in ms. `bridged_ms`: answer to bridged; `invited_ms`: INVITE to first agent's."""

    path: str
    rate: int
    calls: int
    failed: int
    bridged_ms: Sequence[float]
    invited_ms: Sequence[float]
    asterisk_ms: float  # processor time a call
    switch_ms: float
    sipp_ms: float
    others: float  # processors that everything else on the machine kept busy meanwhile

    @property
    def sustained(self) -> bool:
        """Whether calls can go on at this rate."""
        return (
            self.failed <= MAX_FAILED * self.calls
            and percentile(self.bridged_ms, 95) <= MAX_BRIDGED_P95_MS
            and percentile(self.invited_ms, 95) <= MAX_INVITED_P95_MS
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; infinite of nothing, as what never happened took for ever."""
    if not values:
        return float("inf")
    return sorted(values)[max(ceil(len(values) * share / 100) - 1, 0)]


class Bench:
    """The site, the agents and the callers, ready to make calls."""

    def __init__(self, site: Site, agents: Agents, callers: Callers) -> None:
        self._site = site
        self._agents = agents
        self._callers = callers
        self._events = site.events()

    def step(self, path: str, rate: int, seconds: int) -> Step:
        """Makes `rate` calls a second for `seconds`, waits until all is quiet, and reads every clock."""
        count = rate * seconds
        began, before = time.monotonic(), self._clocks()
        with self._callers.calling(EXTENSION[path], rate, count) as crowd:
            crowd.wait(seconds + LATE_S)
        is_quiet = self._site.wait_until_quiet()
        used = [now - then for now, then in zip(self._clocks(), before, strict=True)]
        took_ms = (time.monotonic() - began) * 1000
        asterisk, switch, sipp, machine = used
        sent, ended = crowd.calls()
        bridged = self._events.answer_to_bridged_ms()
        return Step(
            path=path,
            rate=rate,
            calls=count,
            failed=count - min(len(ended), len(bridged)) if is_quiet else count,
            bridged_ms=bridged,
            invited_ms=_between_ms(sent, self._agents.first_invited()),
            asterisk_ms=asterisk / count,
            switch_ms=switch / count,
            sipp_ms=sipp / count,
            others=max(machine - asterisk - switch - sipp, 0) / took_ms,
        )

    def _clocks(self) -> tuple[float, float, float, float]:
        """Processor time used so far by Asterisk, the switch, SIPp (its callers have ended), the machine."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        callers = (children.ru_utime + children.ru_stime) * 1000
        sipp = cpu.used_ms(*self._agents.pids) + callers
        return (
            cpu.used_ms(self._site.asterisk),
            cpu.used_ms(self._site.switch),
            sipp,
            cpu.machine_busy_ms(),
        )


def _between_ms(sent: Times, invited: Times) -> list[float]:
    return [(at - sent[number]) * 1000 for number, at in invited.items() if number in sent]
