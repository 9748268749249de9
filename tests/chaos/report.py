"""RESILIENCE.md: what was done to the stage, and what became of the calls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.chaos.checks import Verdict
from tests.chaos.faults import Injected
from tests.chaos.load import Seen
from tests.chaos.market import CHARGED_FROM_S
from tests.chaos.memory import Growth

RESILIENCE = Path(__file__).parents[1] / "bench" / "RESILIENCE.md"
MEMORY_LIMIT = 0.05
_MARK, _END = "<!-- part ", " -->\n"


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that is told of a run."""

    name: str
    seed: int
    rate: int
    machine: Mapping[str, str]
    seen: Collection[Seen]
    injected: Sequence[Injected]
    verdict: Verdict
    memory: Mapping[str, Growth]

    def deaths(self) -> list[float]:
        """When Asterisk was killed."""
        return [one.at for one in self.injected if one.fault.kills_asterisk]

    def findings(self) -> list[str]:
        """What must not be; empty as it should be."""
        grown = [
            f"{name} has grown by {growth.share:.1%}"
            for name, growth in self.memory.items()
            if growth.share > MEMORY_LIMIT
        ]
        return self.verdict.findings() + grown


def keep(part: str, text: str) -> None:
    """Puts a part in place of what RESILIENCE.md had of it, and leaves the others."""
    kept = RESILIENCE.read_text().split(_MARK)[1:] if RESILIENCE.exists() else []
    sections = dict(section.split(_END, 1) for section in kept) | {part: text}
    RESILIENCE.write_text("".join(f"{_MARK}{name}{_END}{sections[name]}" for name in sections))


def write(run: Run) -> str:
    """The part of one run, in Markdown."""
    parts = [_head(run), _totals(run), _kinds(run)]
    if run.memory:
        parts.append(_memory(run))
    if run.findings():
        parts.append(_findings(run))
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(run: Run) -> Iterator[str]:
    yield f"# {run.name.capitalize()}"
    yield ""
    yield f"Written by `make {run.name}` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC with seed {run.seed}; do not edit."
    yield ""
    yield from (f"- {name}: {value}" for name, value in run.machine.items())
    yield f"""
SIPp calls five numbers, {run.rate} calls a second together: one under a cap, one charged by the second and paid for
beforehand, one whose callers call twice and are paid for once, one that the desk gives away. Three phones ring, the
first answers after 0.3 s; half the callers talk for 0.7 s, half for 5 to 9 s, and from {CHARGED_FROM_S:g} s on a call
is charged. Asterisk, `callrace switch run`, `callrace agi run` and PostgreSQL are real processes on one machine.
Faults come one at a time, at random, the next when all is well again. Afterwards each caller's number, what
SIPp saw of its call, its record and its charge are put together.
"""


def _totals(run: Run) -> Iterator[str]:
    verdict = run.verdict
    deaths = run.deaths()
    rows = (
        ("faults injected", len(run.injected)),
        ("kinds of fault", len({one.fault.name for one in run.injected})),
        ("calls", verdict.called),
        ("calls that reached an agent", verdict.connected),
        ("conversations cut short", sum(seen.cut_short_at(deaths) is not None for seen in run.seen)),
        ("calls without a record", len(verdict.lost)),
        ("calls with two records", len(verdict.doubled)),
        ("wrong charges", len(verdict.wrong_charges)),
        ("not charged, as the dialplan alone served them when Asterisk was killed", verdict.cut_off),
        ("calls that ended with Asterisk and do not say so", len(verdict.wrong_ends)),
        ("calls judged by other terms than they began with", len(verdict.wrong_terms)),
        ("repeat callers who were paid for twice, or lost", len(verdict.wrong_repeats)),
        ("of the crowd, cut off", len(verdict.crowd_cut)),
        ("findings in the ledger, the caps and the reservations", len(verdict.ledger)),
        ("left in Asterisk, the switch, the journal, the spool", len(verdict.left)),
    )
    yield "| what | number |"
    yield "|---|---:|"
    yield from (f"| {what} | {number} |" for what, number in rows)
    yield ""


def _kinds(run: Run) -> Iterator[str]:
    yield """Recovery: from the moment in which mending begins (a process is started, a wire is joined) until calls are
served, saved and covered as before. Of the callers who came between the beginning of a fault and its recovery,
without an agent are those whom none answered, whatever the reason: while no database is there, calls under a cap are
not offered, by design. Cut short: conversations that ended in that time, and not by their caller.
"""
    yield "| fault | times | recovery s, median / worst | callers meanwhile | without an agent | cut short |"
    yield "|---|---:|---:|---:|---:|---:|"
    cut_at = [at for seen in run.seen if (at := seen.cut_short_at(run.deaths())) is not None]
    for name in sorted({one.fault.name for one in run.injected}):
        those = [one for one in run.injected if one.fault.name == name]
        recovery = [one.recovery_s for one in those]
        meanwhile = [seen for seen in run.seen if _is_in(those, seen.called_at)]
        unanswered = sum(not seen.talks for seen in meanwhile)
        yield (
            f"| {name} | {len(those)} | {median(recovery):.1f} / {max(recovery):.1f} "
            f"| {len(meanwhile)} | {unanswered} | {sum(_is_in(those, at) for at in cut_at)} |"
        )
    yield ""


def _is_in(those: Sequence[Injected], at: float) -> bool:
    return any(one.at <= at < one.well_at for one in those)


def _memory(run: Run) -> Iterator[str]:
    yield f"Resident memory, the median of two minutes; at most {MEMORY_LIMIT:.0%} more may be in use at the end:"
    yield ""
    yield "| process | minutes 3 and 4, MB | last two minutes, MB | growth |"
    yield "|---|---:|---:|---:|"
    for name, growth in run.memory.items():
        yield f"| {name} | {growth.first_mb:.1f} | {growth.last_mb:.1f} | {growth.share:+.1%} |"
    yield ""


def _findings(run: Run) -> Iterator[str]:
    yield "What was wrong:"
    yield ""
    yield from (f"- {finding}" for finding in run.findings())
    yield ""
