"""A call's places beside those of its legs: its caller's on a trunk, and an agent's since before this switch."""

from __future__ import annotations

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.campaigns import Route
from ari_app.domain.market.destinations import Dial
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.invites import Invite, invite
from ari_app.domain.routing.screening import Refusal, trunk_full
from ari_app.serving.capacity import Capacity, trunk_place


class Places:
    """One call's. What is taken is given back by `close`, however the call ends."""

    def __init__(self, capacity: Capacity, market: Marketplace) -> None:
        self.capacity = capacity
        self._market = market
        self._trunk: str | None = None  # the caller's place on a trunk of limited size
        self._agents: list[str] = []

    def enter(self, trunk: str | None) -> Refusal | None:
        """Takes the caller's place on the trunk that they came by, once, where that is limited."""
        size = self._size(trunk)
        if trunk is None or size is None or self._trunk is not None:
            return None
        if not self.capacity.take(trunk_place(trunk), size):
            return trunk_full(trunk, size)
        self._trunk = trunk
        return None

    def dial(self, destination: str) -> tuple[Dial, dict[str, int]]:
        """How to dial a destination, and the places that this takes, with their sizes."""
        found = self._market.destinations[destination]
        places = {destination: found.capacity}
        trunk = found.dial.trunk
        size = self._size(trunk)
        if trunk is not None and size is not None:
            places[trunk_place(trunk)] = size
        return found.dial, places

    def invite(self, destination: str, route: Route, record: CallRecord) -> Invite:
        """What the INVITE of a leg to a destination says of the call."""
        found = self._market.destinations[destination]
        told = route.headers if found.headers is None else found.headers
        return invite(record, self._market.trunks.get(found.dial.trunk or ""), told)

    def take(self, destination: str) -> None:
        """The agent has the call, whether there was room or not."""
        _, places = self.dial(destination)
        self._agents = [place for place, size in places.items() if self.capacity.take(place, size)]

    def give_agents_back(self) -> None:
        """The agent does not have it any more."""
        for place in self._agents:
            self.capacity.give_back(place)
        self._agents = []

    def close(self) -> None:
        """Gives back whatever is taken."""
        self.give_agents_back()
        if self._trunk is not None:
            self.capacity.give_back(trunk_place(self._trunk))
            self._trunk = None

    def _size(self, trunk: str | None) -> int | None:
        """How many calls and legs the trunk takes; None: as many as come."""
        rules = self._market.trunks.get(trunk or "")
        return rules.concurrent if rules is not None else None
