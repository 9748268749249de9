"""How many calls each destination has, and each trunk has calls and legs, and who waits for one to end.

A place is taken when a leg is dialled and given back when its channel is gone, so an agent who
is rung or is talking for one call is not rung for another. A leg that leaves by a trunk of limited
size takes a place there too, and so does a caller who comes by one: `trunk_place`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

_TRUNK = "trunk "  # ids hold no space


def trunk_place(trunk: str) -> str:
    """What a place on a trunk is called, beside those of destinations."""
    return _TRUNK + trunk


class Capacity:
    """Places in use, by destination and trunk. All of it runs on the event loop: no locks."""

    def __init__(self) -> None:
        self._in_use: Counter[str] = Counter()
        self._waiting: dict[str, dict[object, Callable[[str], None]]] = {}
        self._waits_of: dict[object, set[str]] = {}  # owner -> what it waits for
        self._elsewhere: set[str] = set()

    def take(self, destination: str, capacity: int) -> bool:
        """Takes a place; False when all `capacity` places are in use, or the agent is on another call."""
        if not self.has_room(destination, capacity):
            return False
        self._in_use[destination] += 1
        return True

    def has_room(self, destination: str, capacity: int) -> bool:
        """Whether a place can be taken."""
        return destination not in self._elsewhere and self._in_use[destination] < capacity

    def give_back(self, destination: str) -> None:
        """Frees a place and tells everyone who waits, in the order in which they came."""
        self._in_use[destination] -= 1
        if not self._in_use[destination]:
            del self._in_use[destination]
        self._tell(destination)

    def set_elsewhere(self, destination: str, is_elsewhere: bool) -> None:
        """The agent is, or is no more, on a call that is none of ours: then no place is given."""
        if is_elsewhere:
            self._elsewhere.add(destination)
        elif destination in self._elsewhere:
            self._elsewhere.discard(destination)
            self._tell(destination)

    def elsewhere(self) -> frozenset[str]:
        """The destinations whose agents are on calls that are none of ours."""
        return frozenset(self._elsewhere)

    def _tell(self, destination: str) -> None:
        for owner, tell in self._waiting.pop(destination, {}).items():
            self._waits_of[owner].discard(destination)
            tell(destination)

    def wait(self, owner: object, destination: str, tell: Callable[[str], None]) -> None:
        """Calls `tell(destination)` once, when a place is next given back."""
        self._waiting.setdefault(destination, {})[owner] = tell
        self._waits_of.setdefault(owner, set()).add(destination)

    def forget(self, owner: object) -> None:
        """The owner waits no more, for any destination."""
        for destination in self._waits_of.pop(owner, ()):
            waiters = self._waiting[destination]
            del waiters[owner]
            if not waiters:
                del self._waiting[destination]

    def in_use(self) -> dict[str, int]:
        """Places in use by destination, where there are any."""
        return {place: used for place, used in self._in_use.items() if not place.startswith(_TRUNK)}

    def on_trunks(self) -> dict[str, int]:
        """Calls and legs on each trunk of limited size, where there are any."""
        trunks = (place for place in self._in_use if place.startswith(_TRUNK))
        return {place.removeprefix(_TRUNK): self._in_use[place] for place in trunks}
