"""The interface of a racer: it offers one call to agents, and connects the winner with the caller.

`offer.Offer` does so over ARI. Another way to ring, such as Asterisk's own Dial(), would be another Racer. While it has
the caller's channel out of Stasis, the channel is lent to it (`Call.lend`).
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
"""How a race ended: nobody took the call; the agent hung up; the longest duration was reached."""


class Racer(Protocol):
    """One call's race. It is run once, and closed in any case."""

    @property
    def legs(self) -> Sequence[Leg]:
        """The legs of the race, each with its phase."""

    async def run(self, plan: RacePlan) -> Ending:
        """Offers the call until a conversation has ended or no destination is left. Raises CallerGone."""

    async def close(self) -> None:
        """Hangs up all legs, and completes the legs and the conversation in the record. Bounded in time."""


MakeRacer = Callable[[Call, Route, Places, Callable[[int], None], Callable[[], None]], Racer]
"""`(call, route, places, on_connected, on_parted)`: `on_connected(at)` is called for each new connection, `on_parted()`
when an agent has left and the call is offered again. The caller already hears `wait_music`."""


def wait_music(call: Call, route: Route, start: bool) -> None:
    """Starts or stops ringback or music, which the caller hears while phones are rung."""
    channels, channel_id = call.client.channels, call.channel_id
    if route.wait == "music":
        request = channels.start_moh(channel_id) if start else channels.stop_moh(channel_id)
    else:
        request = channels.ring(channel_id) if start else channels.ring_stop(channel_id)
    call.post(request)
