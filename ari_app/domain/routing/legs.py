"""A leg of a race: its phases, the events that happen to it, and the commands that are carried out for it.

`race` says which command follows from which event. Pure: no clock, no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from ari_app.domain.calls.record import LegOutcome, LegRecord


class Phase(Enum):
    """Where a leg is in its life."""

    QUEUED = auto()
    DIALLING = auto()
    RINGING = auto()
    ANSWERED = auto()
    WON = auto()  # the winner's prompt must stop first
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
    """A person or a machine answered, and can be heard."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegSoundless:
    """It was answered in a way that lets nobody hear anything: that is no answer."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegDigit:
    """The agent pressed a key."""

    leg: int
    digit: str


@dataclass(frozen=True, slots=True)
class PromptDone:
    """The accept prompt ended or was stopped. From now on the agent has DIGIT_WAIT_MS to press a key."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegBridged:
    """The winner and the caller hear each other."""

    leg: int


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg's channel ended, with a Q.850 cause; None: its end was not seen. `sip_status`: what its phone said.

    `alive_until` (ms): its last sign of life, if its line was found dead."""

    leg: int
    cause: int | None
    sip_status: int | None = None
    alive_until: int | None = None


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
    """The caller hung up, or the caller's channel ended; or the agent transferred the caller, and is needed no more."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The time that `deadline()` gave has come. A TimeUp that is too early does nothing."""


RaceEvent = (
    LegRinging
    | LegAnswered
    | LegSoundless
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
    """Dial the destination as leg `leg`; report `LegBlocked` when the destination is at capacity."""

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
    """Stop the prompt that the winner hears; report `PromptDone` when it has stopped. Bridging has to wait for that."""

    leg: int


@dataclass(frozen=True, slots=True)
class Bridge:
    """Bridge the winner and the caller, then report `LegBridged`."""

    leg: int


@dataclass(frozen=True, slots=True)
class Reoffer:
    """The winner's channel ended: the caller waits again, and the destinations are rung in a new round."""

    leg: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """Nobody is left to ring."""


RaceCommand = Ring | Prompt | SayTaken | HangUp | Award | Hush | Bridge | Reoffer | Exhausted


@dataclass(slots=True)
class Leg:
    """One offer to one destination. Deadlines are ms.

    `deadline`: until when the agent may accept; for the winner: when its prompt must have stopped, else we bridge
    anyway. `digit_deadline`: until when the next key may come. `hears_prompt`: the accept prompt is being played.
    `by_other_trunk`: its first trunk failed, and its destination's `or_trunk` dials it."""

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
    by_other_trunk: bool = False

    @property
    def due(self) -> int:
        """The earlier of the two deadlines."""
        return self.deadline if self.digit_deadline is None else min(self.deadline, self.digit_deadline)

    @property
    def hangup_reason(self) -> Literal["answered_elsewhere", "normal"]:
        """For which its phone is told that it is hung up: who lost is to see no missed call."""
        return "answered_elsewhere" if self.record.outcome == "lost" else "normal"


_OUTCOME_OF_CAUSE: dict[int, LegOutcome] = {
    17: "busy",
    18: "no_answer",
    19: "no_answer",
    21: "declined",
}  # Q.850


def outcome_of(record: LegRecord, cause: int, sip_status: int | None) -> LegOutcome:
    """Of a leg that its phone ended before it was answered. RFC 3261, 21.3: what begins with 3 is a redirection.

    Asterisk may end a redirected channel before it knows why: with cause 0 and without a status, behind a Dial event
    that has the address."""
    if record.failure is not None:
        return "failed"
    if record.forwarded_to is not None or (sip_status is not None and 300 <= sip_status < 400):
        return "forwarded"
    return outcome_by(cause)


def outcome_by(cause: int) -> LegOutcome:
    """What a Q.850 cause says of a phone that ended its channel before it answered."""
    return _OUTCOME_OF_CAUSE.get(cause, "failed")
