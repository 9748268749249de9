"""What races: it offers one call to agents, and has the one who takes it talk with the caller.

`offer.Offer` does so over ARI. Another way to ring, as Asterisk's own Dial(), is another Racer; while it has the
caller's channel out of Stasis, that is lent to it (`Call.lend`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from ari_app.domain.market.campaigns import Route
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.race import RacePlan
from ari_app.switch.call import Call
from ari_app.switch.places import Places

Ending = Literal["exhausted", "agent", "limit"]
"""Nobody took the call; the agent hung up; the longest duration was reached."""


class Racer(Protocol):
    """One call's race. Run once, and closed whatever came of it."""

    @property
    def legs(self) -> Sequence[Leg]:
        """Who was offered the call, and how far each has come."""

    async def run(self, plan: RacePlan) -> Ending:
        """Offers the call until it is taken and talked out, or nobody is left. Raises CallerGone."""

    async def close(self) -> None:
        """Nobody is rung for the call any more, or talks, and its record tells who was and did. Bounded in time."""


MakeRacer = Callable[[Call, Route, Places, Callable[[int], None], Callable[[], None]], Racer]
"""`(call, route, places, on_connected, on_parted)`: `on_connected(at)` is to be told of each connection as it is made,
`on_parted()` of one after which the call is offered again. The caller hears `wait_music` already."""


def wait_music(call: Call, route: Route, start: bool) -> None:
    """Starts, or stops, what the caller hears while phones are rung: ringback or music."""
    channels, channel_id = call.client.channels, call.channel_id
    if route.wait == "music":
        request = channels.start_moh(channel_id) if start else channels.stop_moh(channel_id)
    else:
        request = channels.ring(channel_id) if start else channels.ring_stop(channel_id)
    call.post(request)
