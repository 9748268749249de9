"""Which destinations of one race wait for which place, since that place was full when they were to be rung."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ari_app.domain.calls.timeline import EventName
from ari_app.switch.call import Call
from ari_app.switch.places import Places


@dataclass(frozen=True, slots=True)
class PlaceFreed:
    """A place for which a destination of the race waits was given back. Put into the call's inbox."""

    place: str


class PlaceQueue:
    """The destinations of one race that wait for places, in order. `close` it when the race is over."""

    def __init__(self, call: Call, places: Places) -> None:
        self._call = call
        self._places = places
        self._full: dict[str, str] = {}  # destination -> the place that last refused it
        self._waits: dict[str, dict[str, None]] = {}  # place -> destinations that wait for it, in order

    def add(self, destination: str, place: str, size: int) -> None:
        """From now on the destination waits for this place, whose `size` places are in use."""
        if self._full.get(destination) != place:  # only once: other calls may take it again and again
            self.note_full(destination, place, size)
        self._full[destination] = place
        self._wait_for(place, destination)

    def note_full(self, destination: str, place: str, size: int) -> None:
        """Notes in the record that the destination is not rung, as this place of it is full."""
        if place != destination:
            self._call.note(EventName.TRUNK_FULL, f"{destination}: {place}, {size} in use")
        elif destination in self._places.capacity.elsewhere():
            self._call.note(EventName.ON_ANOTHER_CALL, destination)
        else:
            self._call.note(EventName.AT_CAPACITY, f"{destination}: {size} in use")

    def freed(self, place: str, still_waits: Callable[[str], bool]) -> Iterator[str]:
        """The destinations that wait for this place, in order, while there is room; the others go on waiting."""
        waiting = deque(self._waits.pop(place, ()))
        while waiting:
            destination = waiting.popleft()
            if not still_waits(destination):
                continue
            _, places = self._places.dial(destination)
            if not self._places.capacity.has_room(place, places[place]):
                self._wait_for(place, destination, *waiting)
                return
            yield destination

    def why_not_rung(self, destination: str) -> str:
        """Why a destination of a race that is over was never rung, for the record."""
        if destination in self._places.capacity.elsewhere():
            return "on another call"
        if self._full.get(destination, destination) != destination:
            return f"{self._full[destination]} full, or not reached before the race was over"
        return "at capacity, or not reached before the race was over"

    def close(self) -> None:
        """Nobody waits any more."""
        self._places.capacity.forget(self)

    def _wait_for(self, place: str, *destinations: str) -> None:
        self._waits.setdefault(place, {}).update(dict.fromkeys(destinations))
        self._places.capacity.wait(self, place, lambda freed: self._call.inbox.put(PlaceFreed(freed)))
