"""A leg of a race: the phases of its life, what happens to it, what is done with it. `race` says what follows what.

The words of `race`, and of what performs it. Pure: no clock, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from ari_app.domain.calls.record import LegRecord


class Phase(Enum):
    """Where a leg is in its life."""

    QUEUED = auto()
    DIALLING = auto()
    RINGING = auto()
    ANSWERED = auto()
    WON = auto()  # its prompt is to stop first
    BRIDGING = auto()
    CONNECTED = auto()
    CANCELLING = auto()
    ENDED = auto()


# What happened. `leg` is the number that `Ring` gave.


@dataclass(frozen=True, slots=True)
class LegRinging:
    """The phone rings."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """Somebody, or some machine, picked up."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegDigit:
    """The agent pressed a key."""

    leg: int
    digit: str


@dataclass(frozen=True, slots=True)
class PromptDone:
    """The accept prompt came to its end, or was stopped; an agent who is asked now has DIGIT_WAIT_MS to press."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegBridged:
    """The winner and the caller hear each other."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg's channel is gone, with a Q.850 cause; None: nobody saw it end."""

    leg: int
    cause: int | None


@dataclass(frozen=True, slots=True)
class LegBlocked:
    """The leg was not dialled: its destination is at capacity. It waits for `Freed`."""

    leg: int


@dataclass(frozen=True, slots=True)
class Freed:
    """A destination has capacity again."""

    destination: str


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The caller is gone."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The moment that `deadline()` named has come. A TimeUp too early does nothing."""


Event = (
    LegRinging
    | LegAnswered
    | LegDigit
    | PromptDone
    | LegBridged
    | LegEnded
    | LegBlocked
    | Freed
    | CallerHungUp
    | TimeUp
)

# What to do.


@dataclass(frozen=True, slots=True)
class Ring:
    """Dial the destination as leg `leg`; answer `LegBlocked` when it has no capacity."""

    leg: int
    destination: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Ask the agent to accept or decline; report `PromptDone` at its end."""

    leg: int


@dataclass(frozen=True, slots=True)
class SayTaken:
    """Tell the agent that the call is taken, then hang up as answered elsewhere (cause 26)."""

    leg: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang the leg up. `answered_elsewhere` is cause 26: the phone logs no missed call."""

    leg: int
    reason: Literal["answered_elsewhere", "normal"]


@dataclass(frozen=True, slots=True)
class Award:
    """This leg has won; `Hush` or `Bridge` follows."""

    leg: int


@dataclass(frozen=True, slots=True)
class Hush:
    """Stop what the winner hears; report `PromptDone` at its end. A bridge would wait for that."""

    leg: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """Put the winner and the caller together, then report `LegBridged`."""

    leg: int


@dataclass(frozen=True, slots=True)
class Reoffer:
    """The winner vanished: the caller waits again, and a new round of legs follows."""

    leg: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nobody is left to ring."""


Command = Ring | Prompt | SayTaken | HangUp | Award | Hush | Bridge | Reoffer | Exhausted


@dataclass(slots=True)
class Leg:
    """One offer. `deadline`: until when it may accept; of the winner, until when its prompt may take to stop;
    `digit_deadline`: to the next key. `hears_prompt`: it was asked, and the prompt is not over."""

    number: int
    round: int
    record: LegRecord
    deadline: int = 0
    phase: Phase = Phase.QUEUED
    was_rung: bool = False
    loops: int = 0
    hears_prompt: bool = False
    digit_deadline: int | None = None
    connected_at: int | None = None
