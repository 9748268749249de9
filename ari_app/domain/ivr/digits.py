"""Collecting a caller's digits: a pure matcher and its three timers.

`Collector.handle(event, now)` takes an event: a digit, the prompt's end, or `TimeUp`. It returns the result as soon
as there is one. Times are integers, milliseconds on one clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.domain.market.flows import Timers

DIGITS = frozenset("0123456789")
TERMINATOR = "#"


@dataclass(frozen=True, slots=True)
class Spec:
    """What to collect: between `min_digits` and `max_digits` of `allowed`.

    An input of fewer than `max_digits` is ended by `terminator`, or by the caller's silence.
    """

    min_digits: int
    max_digits: int
    allowed: frozenset[str] = DIGITS
    terminator: str | None = TERMINATOR


# What happened.


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class PromptDone:
    """The prompt ended, or there is none: the timers start."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The time that `deadline` gave has come. A TimeUp that is too early does nothing."""


Input = Digit | PromptDone | TimeUp

# What came of it.


@dataclass(frozen=True, slots=True)
class Digits:
    """The caller entered this."""

    value: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """The caller entered something else: a key that is not allowed, or too few digits."""

    value: str


@dataclass(frozen=True, slots=True)
class NoInput:
    """The caller entered nothing."""


Result = Digits | Invalid | NoInput


class Collector:
    """One collection. With `barge_in` a digit counts while the prompt still plays.

    The first-digit timer and the overall timer start at the prompt's end, or at the first digit if that
    comes earlier. The inter-digit timer starts at each digit.
    """

    def __init__(self, spec: Spec, timers: Timers, barge_in: bool = True) -> None:
        self.spec = spec
        self.timers = timers
        self.value = ""
        self.result: Result | None = None
        self._listens = barge_in
        self._next_digit_by: int | None = None
        self._all_by: int | None = None

    @property
    def deadline(self) -> int | None:
        """When to send `TimeUp` (ms); None while no timer runs."""
        if self.result is not None or self._next_digit_by is None or self._all_by is None:
            return None
        return min(self._next_digit_by, self._all_by)

    def handle(self, event: Input, now: int) -> Result | None:
        """The result, once. None: more digits are expected, or the result was already returned."""
        if self.result is None:
            match event:
                case Digit(digit):
                    self.result = self._digit(digit, now)
                case PromptDone():
                    self._prompt_done(now)
                case TimeUp():
                    self.result = self._time_up(now)
            return self.result
        return None

    def _digit(self, digit: str, now: int) -> Result | None:
        if not self._listens:
            return None
        if digit == self.spec.terminator:
            return self._terminated()
        self._start(now)
        self._next_digit_by = now + self.timers.inter_digit
        self.value += digit
        if digit not in self.spec.allowed:
            return Invalid(self.value)
        return Digits(self.value) if len(self.value) == self.spec.max_digits else None

    def _terminated(self) -> Result | None:
        """A terminator alone is ignored: callers press it by habit after an input that ended by its length."""
        return self._what_there_is() if self.value else None

    def _prompt_done(self, now: int) -> None:
        self._listens = True
        self._start(now)

    def _start(self, now: int) -> None:
        if self._all_by is None:
            self._next_digit_by = now + self.timers.first_digit
            self._all_by = now + self.timers.overall

    def _time_up(self, now: int) -> Result | None:
        if self.deadline is None or now < self.deadline:
            return None
        return self._what_there_is()

    def _what_there_is(self) -> Result:
        if not self.value:
            return NoInput()
        return Digits(self.value) if len(self.value) >= self.spec.min_digits else Invalid(self.value)
