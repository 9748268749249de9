"""A call's places beside those of its legs: the caller's on a trunk, and the agent's of a resumed conversation."""

from __future__ import annotations

from dataclasses import replace

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.campaigns import Route
from ari_app.domain.market.destinations import Dial
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.invites import Invite, invite
from ari_app.domain.routing.screening import Refusal, trunk_full
from ari_app.domain.routing.transfers import Following
from ari_app.serving.capacity import trunk_place
from ari_app.serving.protocols import Capacity


class Places:
    """The places of one call. `close` gives back all that are taken, however the call ends.

    `following`: the rules by which its agents may transfer it; None: they may not, or whose call it is is not known.
    """

    def __init__(self, capacity: Capacity, market: Marketplace) -> None:
        self.capacity = capacity
        self.following: Following | None = None
        self._market = market
        self._trunk: str | None = None  # the caller's place on a trunk of limited size
        self._agents: list[str] = []

    def enter(self, trunk: str | None) -> Refusal | None:
        """Takes the caller's place on the incoming trunk, once, if the trunk is limited; returns why it cannot."""
        size = self._size(trunk)
        if trunk is None or size is None or self._trunk is not None:
            return None
        if not self.capacity.take(trunk_place(trunk), size):
            return trunk_full(trunk, size)
        self._trunk = trunk
        return None

    def dial(self, destination: str, *, by_other_trunk: bool = False) -> tuple[Dial, dict[str, int]]:
        """Returns the dial target and the places that it takes, as {place: limit}."""
        found = self._market.destinations[destination]
        dial = replace(found.dial, trunk=found.dial.or_trunk) if by_other_trunk else found.dial
        places = {destination: found.capacity}
        size = self._size(dial.trunk)
        if dial.trunk is not None and size is not None:
            places[trunk_place(dial.trunk)] = size
        return dial, places

    def places_of(self, name: str, trunk: str | None) -> dict[str, int]:
        """The places that a transfer to a destination, or by `trunk` to a number, takes, as {place: limit}."""
        if name in self._market.destinations:
            return self.dial(name)[1]
        size = self._size(trunk)
        return {trunk_place(trunk): size} if trunk is not None and size is not None else {}

    def invite(self, destination: str | None, dial: Dial, route: Route, record: CallRecord) -> Invite:
        """The data about the call in the INVITE to a destination (None: to a number) that is dialled in this way."""
        told = self._market.destinations[destination].headers if destination is not None else None
        return invite(record, self._market.trunk(dial.trunk), route.headers if told is None else told)

    def take(self, destination: str) -> None:
        """Takes the agent's place, even if there is no room, as the agent has the call already."""
        _, places = self.dial(destination)
        self._agents = [place for place, size in places.items() if self.capacity.take(place, size)]

    def give_agents_back(self) -> None:
        """Gives back the agent's place, as the agent has left."""
        for place in self._agents:
            self.capacity.give_back(place)
        self._agents = []

    def close(self) -> None:
        """Gives back all places that are taken."""
        self.give_agents_back()
        if self._trunk is not None:
            self.capacity.give_back(trunk_place(self._trunk))
            self._trunk = None

    def _size(self, trunk: str | None) -> int | None:
        """How many calls and legs the trunk takes; None: no limit."""
        rules = self._market.trunks.get(trunk or "")
        return rules.concurrent if rules is not None else None
