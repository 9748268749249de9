"""Runs an IVR flow: returns the next step, and takes the outcome of that step. Pure; the number of steps is bounded.

    run = FlowRun(flow, caller)
    step = run.start()
    while not isinstance(step, ToOffer | End):
        step = run.handle(await perform(step))

A menu or a collection that gets no input, or a wrong one, asks again, `tries` times in all. Then the flow goes to
`on_no_input` or `on_invalid`, depending on the last try, or ends the call. The caller of this module calls `time_up`
when the flow has lasted for its `longest`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ari_app.domain.basics.hours import is_open
from ari_app.domain.calls.geo import Geography, Place, area_covers, area_of, locate
from ari_app.domain.ivr.digits import (
    TERMINATOR,
    Collector,
    Digit,
    Digits,
    Invalid,
    NoInput,
    PromptDone,
    Result,
    Spec,
    TimeUp,
)
from ari_app.domain.market.flows import Collect, Flow, Menu, Node, Timers
from ari_app.domain.market.terms import Clause

MAX_STEPS = 100
_LONGEST_WAIT_MS = 10**9

EndReason = Literal["hangup", "no_input", "invalid_input", "too_many_steps", "longest_time_reached"]


@dataclass(frozen=True, slots=True)
class Caller:
    """What branches and checks look at. `at`: ms since the epoch; `timezone`: for hours without one."""

    geography: Geography
    did: str
    ani: str | None
    at: int
    timezone: str = "UTC"


# What to do next.


@dataclass(frozen=True, slots=True)
class Play:
    """Play the whole prompt, then report `Played`."""

    prompt: str


@dataclass(frozen=True, slots=True)
class Gather:
    """Play the prompt and collect digits (`digits.Collector`); report its result."""

    prompt: str
    spec: Spec
    timers: Timers
    barge_in: bool


@dataclass(frozen=True, slots=True)
class ToOffer:
    """The flow is done: offer the call."""


@dataclass(frozen=True, slots=True)
class End:
    """Play the prompt, if there is one, and hang up."""

    prompt: str | None
    reason: EndReason


FlowStep = Play | Gather | ToOffer | End


@dataclass(frozen=True, slots=True)
class Played:
    """The prompt of a `Play` ended."""


FlowOutcome = Played | Result


class FlowRun:
    """One caller's way through a flow that `document.parse` has accepted.

    `answers`: the caller's answers so far. `entered_zip`: the ZIP code among them. `path`: the names of the nodes
    that were entered, in order.
    """

    def __init__(self, flow: Flow, caller: Caller) -> None:
        self.flow = flow
        self.caller = caller
        self.answers: dict[str, str] = {}
        self.entered_zip: str | None = None
        self.path: list[str] = []
        self._steps = 0
        self._failures = 0
        self._asks_again = False

    @property
    def node(self) -> Node:
        """The node that the caller is at."""
        return self.flow.nodes[self.path[-1]]

    @property
    def offers(self) -> bool:
        """Whether the flow has come to its offer."""
        return bool(self.node.offer)

    @property
    def place(self) -> Place:
        """The caller's place, by what is known so far."""
        return locate(self.caller.geography, self.entered_zip, self.caller.ani, self.caller.did)

    def start(self) -> FlowStep:
        """The first step."""
        return self._enter(self.flow.start)

    def resume(self, node: str, answers: Mapping[str, str], entered_zip: str | None) -> FlowStep:
        """The first step of a caller who already was at `node`, with these answers given on the way."""
        self.answers.update(answers)
        self.entered_zip = entered_zip
        return self._enter(node)

    def handle(self, outcome: FlowOutcome) -> FlowStep:
        """The next step, after this outcome of the last one. Raises ValueError for an outcome that it cannot have."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            return End(None, "too_many_steps")
        match outcome:
            case Played():
                return self._played()
            case Digits(value):
                return self._answered(value)
            case Invalid():
                return self._failed("invalid_input")
            case NoInput():
                return self._failed("no_input")

    def time_up(self) -> End:
        """The end for a caller who was in the flow for its `longest`: they hear what a silent caller would.

        That is the prompt where the current node's `on_no_input` hangs up, or else of the flow's first such node.
        """
        nodes = self.flow.nodes
        ends = [nodes[self.node.on_no_input]] if self.node.on_no_input is not None else []
        ends += nodes.values()
        return End(next((node.play for node in ends if node.hangup), None), "longest_time_reached")

    def _enter(self, name: str) -> FlowStep:
        """The first step at or after a node; branches are passed through."""
        for _ in self.flow.nodes:
            self.path.append(name)
            self._failures = 0
            if self.node.branch is None:
                return self._step()
            name = self._branch(self.node)
        raise ValueError(f"the flow goes round at {name} for ever; `document.parse` refuses that")

    def _step(self) -> FlowStep:
        node = self.node
        if node.offer:
            return ToOffer()
        if node.hangup:
            return End(node.play, "hangup")
        if node.play is not None:
            return Play(node.play)
        return Gather(_asked(node).prompt, spec_of(node), node.timers, node.barge_in)

    def _played(self) -> FlowStep:
        if self._asks_again:
            self._asks_again = False
            return self._step()
        if self.node.play is None:
            raise ValueError(f"node {self.path[-1]} plays nothing")
        return self._go(self.node.next)

    def _answered(self, value: str) -> FlowStep:
        node = self.node
        if node.choices is not None:
            choice = node.choices.get(value)
            if choice is None:
                return self._failed("invalid_input")
            self.answers.update(choice.set or {})
            return self._go(choice.next)
        if node.collect is None:
            raise ValueError(f"node {self.path[-1]} collects nothing")
        if node.collect.check == "us-zip":
            if value not in self.caller.geography.zips:
                return self._failed("invalid_input")
            self.entered_zip = value
        self.answers[node.collect.as_] = value
        return self._go(node.next)

    def _failed(self, reason: Literal["no_input", "invalid_input"]) -> FlowStep:
        node = self.node
        _asked(node)
        self._failures += 1
        if self._failures < node.tries:
            if reason == "invalid_input" and node.invalid_prompt is not None:
                self._asks_again = True
                return Play(node.invalid_prompt)
            return self._step()
        after = node.on_no_input if reason == "no_input" else node.on_invalid
        return self._enter(after) if after is not None else End(None, reason)

    def _go(self, name: str | None) -> FlowStep:
        if name is None:
            raise ValueError(f"node {self.path[-1]} leads nowhere; `document.parse` refuses that")
        return self._enter(name)

    def _branch(self, node: Node) -> str:
        for branch in node.branch or ():
            if self._holds(branch.when):
                return branch.next
        if node.otherwise is None:
            raise ValueError(f"node {self.path[-1]} has no otherwise; `document.parse` refuses that")
        return node.otherwise

    def _holds(self, clause: Clause) -> bool:
        if clause.answer_in is not None:
            return all(self.answers.get(name) in values for name, values in clause.answer_in.items())
        if clause.caller_in is not None:
            area = area_of(clause.caller_in, self.caller.geography)
            return area_covers(area, self.place, self.caller.ani)[0]
        if clause.within_hours is not None:
            return is_open(clause.within_hours, self.caller.at, self.caller.timezone)
        raise ValueError("a branch on what is not known during a flow; `document.parse` refuses that")


def spec_of(node: Node) -> Spec:
    """What a menu or a collection takes."""
    if node.collect is not None:
        return Spec(node.collect.min_digits or node.collect.digits, node.collect.digits)
    keys = frozenset(node.choices or ())
    return Spec(1, 1, keys, None if TERMINATOR in keys else TERMINATOR)


def _asked(node: Node) -> Menu | Collect:
    asked = node.menu or node.collect
    if asked is None:
        raise ValueError("this node asks nothing")
    return asked


class TooManyKeys(ValueError):
    """An answer has more keys than its question can take."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Where a flow leads a caller who presses these keys: how it ends, and which keys were not used."""

    end: ToOffer | End
    answers: dict[str, str]
    entered_zip: str | None
    path: list[str]
    unused: list[str]


def dry_run(flow: Flow, caller: Caller, presses: Iterable[str]) -> DryRun:
    """Runs a flow without a call. Each item of `presses` answers one question; after the last one the caller is silent.

    Raises TooManyKeys for an item that is longer than its question's answer.
    """
    run = FlowRun(flow, caller)
    left = list(presses)
    step = run.start()
    while not isinstance(step, ToOffer | End):
        if isinstance(step, Play):
            step = run.handle(Played())
        else:
            step = run.handle(_collected(step, left.pop(0) if left else ""))
    return DryRun(step, run.answers, run.entered_zip, run.path, left)


def _collected(step: Gather, keys: str) -> Result:
    """The result of a collector for keys that are pressed at once, followed by silence."""
    collector = Collector(step.spec, step.timers)
    collector.handle(PromptDone(), 0)
    for pressed, key in enumerate(keys, start=1):
        result = collector.handle(Digit(key), 0)
        if result is not None:
            if keys[pressed:] not in ("", TERMINATOR):
                raise TooManyKeys(f'"{keys}" is more than is asked for: it ends after {pressed} keys')
            return result
    return collector.handle(TimeUp(), _LONGEST_WAIT_MS) or NoInput()
