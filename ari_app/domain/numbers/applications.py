"""A publisher's application to a campaign: its states, and who may apply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ari_app.domain.market.campaigns import Campaign

ApplicationEvent = Literal["submit", "approve", "decline", "suspend", "reinstate"]
ApplicationState = Literal["pending", "approved", "declined", "suspended"]

# The state after each event; None: there is no application yet. Every other event is refused.
TRANSITIONS: dict[tuple[ApplicationState | None, ApplicationEvent], ApplicationState] = {
    (None, "submit"): "pending",
    ("pending", "approve"): "approved",
    ("pending", "decline"): "declined",
    ("declined", "submit"): "pending",
    ("approved", "suspend"): "suspended",
    ("suspended", "reinstate"): "approved",
}


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to an application at a moment (ms), the state it led to, why, and by whom."""

    n: int
    at: int
    event: ApplicationEvent
    state: ApplicationState
    note: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Application:
    """A publisher's request to join a campaign, and the newest of its steps."""

    id: int
    campaign: str
    publisher: str
    newest: Step

    @property
    def state(self) -> ApplicationState:
        """Its current state."""
        return self.newest.state


def after(state: ApplicationState | None, event: ApplicationEvent) -> ApplicationState | None:
    """The state after the event; None: the event cannot happen in this state."""
    return TRANSITIONS.get((state, event))


def possible(state: ApplicationState | None) -> list[ApplicationEvent]:
    """The events that can happen in a state."""
    return [event for before, event in TRANSITIONS if before == state]


def suspended_at(steps: Iterable[Step], at: int) -> str | None:
    """Why a publisher was suspended at a moment (ms), by all steps of its application; None: it was not suspended."""
    newest = max((step for step in steps if step.at <= at), key=lambda step: step.n, default=None)
    return newest.note or "" if newest is not None and newest.state == "suspended" else None


def closed_to(campaign: Campaign, publisher: str) -> str | None:
    """Why the campaign takes no application of this publisher; None: it does."""
    if campaign.status == "ended":
        return "it is ended"
    if campaign.visibility == "invited" and publisher not in campaign.invited:
        return f"it takes only invited publishers, and {publisher} is not one"
    return None
