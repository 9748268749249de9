"""Disputes: an advertiser says that a call was not worth its charge, and the exchange decides.

A dispute is the list of its events, which are only ever added. `NEXT` says which event can follow which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DisputeStep = Literal["opened", "accepted", "rejected"]
DisputeState = Literal["open", "accepted", "rejected"]

NEXT: dict[tuple[DisputeState | None, DisputeStep], DisputeState] = {
    (None, "opened"): "open",
    ("open", "accepted"): "accepted",
    ("open", "rejected"): "rejected",
}


class DisputeError(ValueError):
    """This step cannot be taken with the dispute; the message says why."""


class NoDispute(DisputeError):
    """There is no dispute with this number."""

    def __init__(self, dispute: int) -> None:
        super().__init__(f"there is no dispute {dispute}")
        self.dispute = dispute


class InDispute(DisputeError):
    """The call is in open dispute already; the message gives the number of that dispute."""

    def __init__(self, dispute: int) -> None:
        super().__init__("the call is in dispute already")
        self.dispute = dispute


@dataclass(frozen=True, slots=True)
class DisputeEvent:
    """One step. `amount` is what is disputed or credited, `clawback` what the publisher loses by it."""

    what: DisputeStep
    at: int
    by: str
    reason: str = ""
    amount: int | None = None
    clawback: int | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute of one call. Amounts are in the minor unit of `currency`."""

    id: int
    call_id: str
    advertiser: str
    publisher: str
    currency: str
    events: tuple[DisputeEvent, ...]

    @property
    def state(self) -> DisputeState | None:
        """The state that follows from its events."""
        state: DisputeState | None = None
        for event in self.events:
            state = NEXT[state, event.what]
        return state

    @property
    def claimed(self) -> int:
        """What the advertiser wants back."""
        return self.events[0].amount or 0

    @property
    def credited(self) -> int:
        """What the advertiser was given back: all of the claim, a part of it, or nothing."""
        return (self.events[-1].amount or 0) if self.state == "accepted" else 0


def require(dispute: Dispute, what: DisputeStep) -> None:
    """Raises DisputeError unless this can happen to the dispute now."""
    if (dispute.state, what) not in NEXT:
        raise DisputeError(f"dispute {dispute.id} cannot be {what}: it is {dispute.state} already")


def require_in_window(charged_at: int, window_ms: int, now: int) -> None:
    """Raises DisputeError when the advertiser's dispute window for the call is over. Times in ms.

    The window begins when the call is charged: at its end, or, for a repeat, when it is judged again.
    """
    if now - charged_at >= window_ms:
        days = window_ms / 86_400_000
        raise DisputeError(f"the call was charged more than {days:g} days ago: the dispute window is over")
