"""Capacity: how many places of each destination and trunk are in use, and which calls wait for a place.

A leg takes a place when it is dialled, and gives it back when its channel is gone. So an agent who is rung for one
call, or talks, is not rung for another. A leg that leaves by a trunk of limited size also takes a place of that trunk,
and so does a caller who comes in by it: `trunk_place`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_TRUNK = "trunk "  # ids hold no space


def trunk_place(trunk: str) -> str:
    """The name under which a trunk's places are counted, among the ids of destinations."""
    return _TRUNK + trunk


class InMemoryCapacity:
    """A `protocols.Capacity` of one process. It is used on the event loop only, so it needs no locks."""

    def __init__(self) -> None:
        self._in_use: Counter[str] = Counter()
        self._waiting: dict[str, dict[object, Callable[[str], None]]] = {}
        self._waits_of: dict[object, set[str]] = {}  # owner -> what it waits for
        self._elsewhere: set[str] = set()

    def take(self, place: str, size: int) -> bool:
        """Takes a place; False when all `size` places are in use, or the agent is on another call."""
        if not self.has_room(place, size):
            return False
        self._in_use[place] += 1
        return True

    def has_room(self, place: str, size: int) -> bool:
        """Whether a place can be taken."""
        return place not in self._elsewhere and self._in_use[place] < size

    def give_back(self, place: str) -> None:
        """Frees a place, and notifies all who wait for one, in the order in which they came."""
        assert self._in_use[place] > 0, f"a place of {place} is given back that nobody has"
        self._in_use[place] -= 1
        if not self._in_use[place]:
            del self._in_use[place]
        self._notify(place)

    def set_elsewhere(self, destination: str, is_elsewhere: bool) -> None:
        """Marks an agent busy (or free) on a call that Callrace does not control. A busy agent gets no place."""
        if is_elsewhere:
            self._elsewhere.add(destination)
        elif destination in self._elsewhere:
            self._elsewhere.discard(destination)
            self._notify(destination)

    def elsewhere(self) -> frozenset[str]:
        """The destinations whose agents are on calls that Callrace does not control."""
        return frozenset(self._elsewhere)

    def _notify(self, place: str) -> None:
        for owner, notify in self._waiting.pop(place, {}).items():
            self._waits_of[owner].discard(place)
            notify(place)

    def wait(self, owner: object, place: str, notify: Callable[[str], None]) -> None:
        """Calls `notify(place)` once, when the next place is given back."""
        self._waiting.setdefault(place, {})[owner] = notify
        self._waits_of.setdefault(owner, set()).add(place)

    def forget(self, owner: object) -> None:
        """From now on the owner waits for no place."""
        for place in self._waits_of.pop(owner, ()):
            waiters = self._waiting[place]
            del waiters[owner]
            if not waiters:
                del self._waiting[place]

    def in_use(self) -> dict[str, int]:
        """Places in use, by destination; only destinations with at least one."""
        return {place: used for place, used in self._in_use.items() if not place.startswith(_TRUNK)}

    def on_trunks(self) -> dict[str, int]:
        """Calls and legs on each trunk of limited size; only trunks with at least one."""
        trunks = (place for place in self._in_use if place.startswith(_TRUNK))
        return {place.removeprefix(_TRUNK): self._in_use[place] for place in trunks}
