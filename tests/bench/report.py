"""RESULTS.md: the figures, the ratios, and which targets are met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import inf

from tests.bench import plan
from tests.bench.decisions import Cost
from tests.bench.ladder import at, knee
from tests.bench.market import NUMBERS, Shape
from tests.bench.plan import CALLRACE, COMPARED_RATE, NATIVE
from tests.bench.step import Step, percentile

Costs = Mapping[Shape, Cost]


def write(machine: Mapping[str, str], steps: Sequence[Step], costs: Costs) -> str:
    """The whole report, in Markdown."""
    parts = (_head(machine), _targets(steps, costs), _calls(steps), _ratios(steps), _decisions(costs))
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(machine: Mapping[str, str]) -> Iterator[str]:
    yield "# Bench results"
    yield ""
    yield f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; do not edit."
    yield ""
    yield from (f"- {name}: {value}" for name, value in machine.items())
    rings = ", ".join(map(str, plan.RINGS_MS.values()))
    yield f"""
One Asterisk, one run. The same SIPp callers ring the same {len(plan.RINGS_MS)} agents through (a) native
`Answer(,i)` + `Dial(A&B&C&D)` and (b) Callrace with `accept: answer`, alternating at each rate for
{plan.STEP_S} s. The agents ring {rings} ms, so the first answers and the others are cancelled; the
caller hangs up {plan.CALL_MS} ms after the answer. Nobody sends audio (hence `i`: a plain `Answer()` would
wait half a second for it). Everything shares the machine: Asterisk, the switch, SIPp.

- bridged: from the winner's answer to the moment both are in the bridge, by Asterisk's own event
  times (CEL, microseconds, paired by bridge id).
- first INVITE: from the caller's INVITE to the first agent's, by SIPp's clock.
- failed: calls that were not bridged, or did not end as they should.
- A rate is sustained when at most {plan.MAX_FAILED:.0%} of the calls fail, p95 of bridged is at most
  {plan.MAX_BRIDGED_P95_MS:g} ms and p95 of first INVITE at most {plan.MAX_INVITED_P95_MS:g} ms.
  The knee is the highest such rate; where one fails it is tried again, and then {plan.FINER} below.
- CPU: processor time a call, user and system, of every thread, writing to the database included.
  "others" is how many processors everything else kept busy meanwhile, the host's other guests
  included: where that is more than a tenth or so, the step was disturbed.
"""


def _targets(steps: Sequence[Step], costs: Costs) -> Iterator[str]:
    native, ours = at(steps, NATIVE, COMPARED_RATE), at(steps, CALLRACE, COMPARED_RATE)
    first = next(iter(costs.values()))
    bridged = percentile(ours.bridged_ms, 95) / percentile(native.bridged_ms, 95)
    knees = knee(steps, CALLRACE) / max(knee(steps, NATIVE), 1)
    memory = max(cost.resident_mb for cost in costs.values())
    rows = (
        (f"p95 of bridged at {COMPARED_RATE} calls/s, b/a", bridged, "at most", plan.BRIDGED_P95_RATIO),
        ("knee, b/a", knees, "at least", plan.KNEE_RATIO),
        (
            "switch CPU ms a call, over all sustained steps",
            _switch_ms(steps),
            "at most",
            plan.SWITCH_MS_A_CALL,
        ),
        (
            "route decision us, median, 20 destinations a campaign",
            first.decision_p50_us,
            "at most",
            plan.DECISION_P50_US,
        ),
        ("resident MB with the marketplace loaded", memory, "at most", plan.RESIDENT_MB),
    )
    yield "## Targets"
    yield ""
    yield "| what | measured | target | met |"
    yield "|---|---:|---:|---|"
    for what, value, bound, target in rows:
        is_met = value <= target if bound == "at most" else value >= target
        yield f"| {what} | {value:.2f} | {bound} {target:g} | {'yes' if is_met else '**no**'} |"
    yield ""


def _switch_ms(steps: Sequence[Step]) -> float:
    sustained = [step for step in steps if step.path == CALLRACE and step.sustained]
    calls = sum(step.calls for step in sustained)
    return sum(step.switch_ms * step.calls for step in sustained) / calls if calls else inf


def _calls(steps: Sequence[Step]) -> Iterator[str]:
    yield "## Calls"
    yield ""
    yield from _header(
        "calls/s", "path", "calls", "failed", "bridged p50 / p95 / p99 ms", "first INVITE p50 / p95 / p99 ms",
        "Asterisk CPU ms a call", "switch", "SIPp", "others", "sustained",
    )  # fmt: skip
    for step in steps:
        cpu = f"{step.asterisk_ms:.1f} | {step.switch_ms:.1f} | {step.sipp_ms:.1f} | {step.others:.2f}"
        yield (
            f"| {step.rate} | {step.path} | {step.calls} | {step.failed} | {_three(step.bridged_ms)} "
            f"| {_three(step.invited_ms)} | {cpu} | {'yes' if step.sustained else 'no'} |"
        )
    yield ""


def _header(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)


def _three(values: Sequence[float]) -> str:
    return " / ".join(f"{percentile(values, share):.1f}" for share in (50, 95, 99))


def _ratios(steps: Sequence[Step]) -> Iterator[str]:
    knees = knee(steps, NATIVE), knee(steps, CALLRACE)
    yield "## Ratios b/a"
    yield ""
    ratio = knees[1] / max(knees[0], 1)
    yield f"Knee: native {knees[0]} calls/s, Callrace {knees[1]} calls/s, ratio {ratio:.2f}."
    yield ""
    yield from _header(
        "calls/s", "bridged p50", "p95", "p99", "first INVITE p50", "p95",
        "Asterisk CPU", "Asterisk + switch CPU",
    )  # fmt: skip
    for rate in sorted({step.rate for step in steps}):
        if {step.path for step in steps if step.rate == rate} == {NATIVE, CALLRACE}:
            yield _ratio_row(rate, at(steps, NATIVE, rate), at(steps, CALLRACE, rate))
    yield ""


def _ratio_row(rate: int, native: Step, ours: Step) -> str:
    ratios = [
        percentile(ours.bridged_ms, share) / percentile(native.bridged_ms, share) for share in (50, 95, 99)
    ]
    ratios += [
        percentile(ours.invited_ms, share) / percentile(native.invited_ms, share) for share in (50, 95)
    ]
    ratios += [
        ours.asterisk_ms / native.asterisk_ms,
        (ours.asterisk_ms + ours.switch_ms) / native.asterisk_ms,
    ]
    return f"| {rate} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |"


def _decisions(costs: Costs) -> Iterator[str]:
    yield "## Decisions, settlement, memory"
    yield ""
    yield f"""10,000 destinations and {NUMBERS:,} numbers, in a process that loaded them as the switch does. A
decision is attribute, screen, locate and route; a settlement is the verdict and its transfers; saving
is the processor time that a call with four legs takes the writer, in its batches.
"""
    yield from _header(
        "campaigns", "decision p50 us", "p99 us", "decisions/s", "offered on average", "settlement p50 us",
        "p99 us", "saving us CPU", "load s", "resident MB", "peak MB",
    )  # fmt: skip
    for shape, cost in costs.items():
        figures = (
            f"{cost.decision_p50_us:.0f}", f"{cost.decision_p99_us:.0f}", f"{cost.decisions_a_second:.0f}",
            f"{cost.eligible:.1f}", f"{cost.settle_p50_us:.0f}", f"{cost.settle_p99_us:.0f}",
            f"{cost.save_us:.0f}", f"{cost.load_s:.1f}", f"{cost.resident_mb:.0f}", f"{cost.peak_mb:.0f}",
        )  # fmt: skip
        yield f"| {shape.campaigns} of {shape.destinations_each} destinations | {' | '.join(figures)} |"
