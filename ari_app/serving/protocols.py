"""What a switch remembers of its calls for those to come, behind protocols: several machines would share it.

Today each is the memory of one process (`capacity`, `callers`, `unanswered`, and `ratelimits` of the domain), and a
restart forgets it. Which implementation a switch has is said in `switch.shared.Shared.of`, and nowhere else. What is
no coroutine is called on a call's path, on the event loop, and answers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.destinations import AutoPause
from ari_app.domain.market.marketplace import Screening
from ari_app.domain.market.terms import Basis
from ari_app.domain.routing.screening import Refusal
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import RepeatKind


class Capacity(Protocol):
    """The places in use of each destination and trunk (`capacity.trunk_place`), and which calls wait for a place."""

    def take(self, place: str, size: int) -> bool:
        """Takes a place; False when all `size` places are in use, or the agent is on another call."""

    def has_room(self, place: str, size: int) -> bool:
        """Whether a place can be taken."""

    def give_back(self, place: str) -> None:
        """Frees a place, and notifies all who wait for one, in the order in which they came."""

    def set_elsewhere(self, destination: str, is_elsewhere: bool) -> None:
        """Marks an agent busy (or free) on a call that Callrace does not control. A busy agent gets no place."""

    def elsewhere(self) -> frozenset[str]:
        """The destinations whose agents are on calls that Callrace does not control."""

    def wait(self, owner: object, place: str, notify: Callable[[str], None]) -> None:
        """Calls `notify(place)` once, when the next place is given back."""

    def forget(self, owner: object) -> None:
        """From now on the owner waits for no place."""

    def in_use(self) -> dict[str, int]:
        """Places in use, by destination; only destinations with at least one."""

    def on_trunks(self) -> dict[str, int]:
        """Calls and legs on each trunk of limited size; only trunks with at least one."""


class RateLimits(Protocol):
    """How many calls each caller, and each tracking number, has had within a sliding window."""

    def refusal(self, rules: Screening, did: str, ani: str | None, now: int) -> Refusal | None:
        """Counts a call at `now` (ms) and returns None; or returns which limit is exceeded, and counts nothing."""


class Unanswered(Protocol):
    """The calls that each destination left unanswered lately."""

    def count(self, destination: str, rule: AutoPause, now: int) -> str | None:
        """Counts one more at `now` (ms); returns why to pause the destination, or None."""


class Callers(Protocol):
    """When callers last dialled, and their earlier calls."""

    def dialled(self, did: str, ani: str | None, at: int) -> int | None:
        """Remembers a call to a number. Returns when (ms) the same caller dialled it before, or None."""

    def withdrawn(self, did: str, ani: str | None, at: int) -> None:
        """Forgets a call that began at this time (ms) and was given up unanswered: the next call is no redial."""

    def remember(self, basis: Basis, record: CallRecord, at: int) -> dict[RepeatKind, EarlierCall]:
        """Remembers that this call meets `basis` since `at` (ms).

        Returns this caller's previous call under each repeat rule of this basis (any, connected, qualified).
        """

    async def earlier(self, record: CallRecord) -> dict[RepeatKind, EarlierCall]:
        """The caller's calls before this one, which has ended; waits a bounded time until they are known."""

    def recall(self, known: Iterable[CallRecord]) -> None:
        """Adds ended calls, in any order: those of other programs, and of a switch before."""

    def converted(self, known: Iterable[CallRecord]) -> None:
        """Adds calls that became payable after they had ended."""

    # What of the store it is to be told (`lookback` does so)

    def ask(self, kinds: frozenset[RepeatKind], window_ms: int) -> None:
        """From now on these kinds are remembered for `window_ms`. Older calls are then to be read (see `asked`)."""

    async def asked(self) -> tuple[frozenset[RepeatKind], int]:
        """Waits until older calls are to be read; returns of which kinds, and how far back (ms)."""

    def recall_before(self, known: Iterable[CallRecord]) -> None:
        """Adds one page of the older calls."""

    def recalled(self) -> None:
        """Says that all older calls were added, unless more were asked for meanwhile."""
