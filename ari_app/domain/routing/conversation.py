"""The conversation: who is in it, by role, and what follows when one of them leaves. Pure; a table of (state, event).

    caller alone ──agent joins──> talking ──transferee joins──> in three ──agent goes──> transferred
                                     └──transferee rung──> calling ──transferee joins──────────┘
                                                              └──agent goes──> waiting ────────┘

A transferee who is rung and does not come leaves caller and agent as they were.
The conversation is over when the caller leaves, and when nobody is left for the caller to talk to.
A caller who is alone again may be offered to other agents: the race decides that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from ari_app.domain.calls.record import EndSource
from ari_app.domain.calls.stage import Role


class State(Enum):
    """Who hears whom."""

    ALONE = auto()  # nobody talks to the caller yet, or nobody does any more
    TALKING = auto()  # caller and agent
    CALLING = auto()  # caller and agent; a transferee is rung
    WAITING = auto()  # nobody: the agent has left, and the transferee is rung
    IN_THREE = auto()  # caller, agent and transferee
    TRANSFERRED = auto()  # caller and transferee; the agent has left
    OVER = auto()


# What happened.


@dataclass(frozen=True, slots=True)
class Rung:
    """The agent wants to transfer the caller, and who is to have the caller is rung."""


@dataclass(frozen=True, slots=True)
class Joined:
    """This party hears the caller from now on."""

    role: Role


@dataclass(frozen=True, slots=True)
class Left:
    """This party hung up."""

    role: Role


@dataclass(frozen=True, slots=True)
class Lost:
    """This party's channel ended unseen: while the connection to Asterisk was broken, or between two switches."""

    role: Role


@dataclass(frozen=True, slots=True)
class AllGone:
    """No party is there any more: Asterisk restarted, or it was not seen who left first."""


@dataclass(frozen=True, slots=True)
class Unbridged:
    """All parties are there, but they do not hear each other."""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The longest duration is reached. An event that comes too early does nothing."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The switch stops, or the call broke."""


TalkEvent = Rung | Joined | Left | Lost | AllGone | Unbridged | LimitReached | Stopped

# What to do.


@dataclass(frozen=True, slots=True)
class Begin:
    """The conversation began: its duration counts from now on."""


@dataclass(frozen=True, slots=True)
class End:
    """The conversation is over, ended by `by`; its duration is final."""

    by: EndSource


@dataclass(frozen=True, slots=True)
class HangUpParty:
    """Hang this party up."""

    role: Role


@dataclass(frozen=True, slots=True)
class Release:
    """The transferee has the caller: part the agent from them, tell the agent's phone, and hang it up."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The transferee did not come: tell the agent's phone so."""


@dataclass(frozen=True, slots=True)
class Ringback:
    """The caller, who is alone, is to hear ringback, or no more."""

    start: bool


TalkCommand = Begin | End | HangUpParty | Release | GiveBack | Ringback

_AGENT, _TRANSFEREE = HangUpParty("agent"), HangUpParty("transferee")


def _ends(
    state: State, *let_go: HangUpParty
) -> dict[tuple[State, TalkEvent], tuple[State, tuple[TalkCommand, ...]]]:
    """The rows of what ends the conversation in this state, whoever is in it; `let_go` are hung up."""
    by_system: tuple[TalkCommand, ...] = (End("system"), *let_go)
    return {
        (state, Left("caller")): (State.OVER, (End("caller"), *let_go)),
        (state, Lost("caller")): (State.OVER, (End("caller"), *let_go)),
        (state, AllGone()): (State.OVER, (End("system"),)),
        (state, Unbridged()): (State.OVER, by_system),
        (state, LimitReached()): (State.OVER, by_system),
        (state, Stopped()): (State.OVER, by_system),
    }


# What each event does in each state; a pair that is not here does nothing.
TABLE: dict[tuple[State, TalkEvent], tuple[State, tuple[TalkCommand, ...]]] = {
    (State.ALONE, Joined("agent")): (State.TALKING, (Begin(),)),
    #
    (State.TALKING, Rung()): (State.CALLING, ()),
    (State.TALKING, Joined("transferee")): (State.IN_THREE, ()),
    (State.TALKING, Left("agent")): (State.ALONE, (End("agent"),)),
    (State.TALKING, Lost("agent")): (State.ALONE, (End("agent"),)),
    **_ends(State.TALKING, _AGENT),
    #
    (State.CALLING, Joined("transferee")): (State.TRANSFERRED, (Release(),)),
    (State.CALLING, Left("transferee")): (State.TALKING, (GiveBack(),)),
    (State.CALLING, Lost("transferee")): (State.TALKING, (GiveBack(),)),
    (State.CALLING, Left("agent")): (State.WAITING, (Ringback(start=True),)),
    (State.CALLING, Lost("agent")): (State.WAITING, (Ringback(start=True),)),
    **_ends(State.CALLING, _AGENT, _TRANSFEREE),
    #
    (State.WAITING, Joined("transferee")): (State.TRANSFERRED, (Ringback(start=False),)),
    (State.WAITING, Left("transferee")): (State.ALONE, (End("agent"),)),
    (State.WAITING, Lost("transferee")): (State.ALONE, (End("agent"),)),
    **_ends(State.WAITING, _TRANSFEREE),
    #
    (State.IN_THREE, Left("transferee")): (State.TALKING, ()),
    (State.IN_THREE, Lost("transferee")): (State.TALKING, ()),
    (State.IN_THREE, Left("agent")): (State.TRANSFERRED, ()),
    (State.IN_THREE, Lost("agent")): (State.TRANSFERRED, ()),
    **_ends(State.IN_THREE, _AGENT, _TRANSFEREE),
    #
    (State.TRANSFERRED, Left("transferee")): (State.ALONE, (End("agent"),)),
    (State.TRANSFERRED, Lost("transferee")): (State.ALONE, (End("agent"),)),
    **_ends(State.TRANSFERRED, _TRANSFEREE),
}
_WITHOUT_AGENT = (State.WAITING, State.TRANSFERRED)


class Conversation:
    """The conversation of one call, or its several conversations one after the other. Times are ms on the call's clock.

    `began_at`, `ended_at` and `ended_by` (who ended it) are of the newest conversation; None: not yet.
    `handed_over_at`: when the agent's part of it ended, as the caller was transferred; None: it was not.
    """

    def __init__(self, max_duration_ms: int) -> None:
        self.state = State.ALONE
        self.began_at: int | None = None
        self.ended_at: int | None = None
        self.ended_by: EndSource | None = None
        self.handed_over_at: int | None = None
        self._max_duration_ms = max_duration_ms

    @property
    def is_on(self) -> bool:
        """Whether somebody hears the caller."""
        return self.began_at is not None and self.ended_at is None

    @property
    def talked_ms(self) -> int:
        """The duration of the newest conversation in ms; 0 while it lasts."""
        return 0 if self.began_at is None or self.ended_at is None else self.ended_at - self.began_at

    def deadline(self) -> int | None:
        """When `LimitReached` is to be given to `handle` (ms), or None."""
        if self.began_at is None or self.ended_at is not None:
            return None
        return self.began_at + self._max_duration_ms

    def handle(self, event: TalkEvent, at: int) -> tuple[TalkCommand, ...]:
        """What to do about an event that happened at `at`."""
        if isinstance(event, LimitReached) and at < (self.deadline() or at):
            return ()
        self.state, commands = TABLE.get((self.state, event), (self.state, ()))
        if self.state in _WITHOUT_AGENT and self.handed_over_at is None:
            self.handed_over_at = at
        for command in commands:
            match command:
                case Begin():
                    self.began_at, self.ended_at, self.ended_by, self.handed_over_at = at, None, None, None
                case End(by):
                    self.ended_at, self.ended_by = max(at, self.began_at or at), by
        return commands
