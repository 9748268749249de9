"""The legs of one race as Asterisk has them: channels that are rung, spoken to and hung up.

A leg is known by the number that the race gave it; its channel id is made from the call's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ari_app.ari.errors import AriError, AriHttpError, AriTimeout, AriUnavailable
from ari_app.domain.ivr.prompts import TAKEN_PROMPT
from ari_app.domain.market.destinations import Dial
from ari_app.serving.capacity import Capacity
from ari_app.serving.dialstrings import endpoint
from ari_app.serving.ids import leg_id
from ari_app.switch.call import ABSOLUTE_TIMEOUT, BACKSTOP_MS, NO_CAUSE, Call

# Asterisk gives up on a leg this long after the race should have: only if we are gone.
DIAL_BACKSTOP_MS = 10_000
GOODBYE_MS = 6_000

Reason = Literal["answered_elsewhere", "normal"]


@dataclass(frozen=True, slots=True)
class NotDialled:
    """Asterisk did not say that it has made the channel of leg `leg`. Put into the call's inbox.

    `cause`: None when the connection broke before it could. `why` is what the record says of it.
    """

    leg: int
    cause: int | None
    why: str


@dataclass(frozen=True, slots=True)
class _Channel:
    """A leg that was dialled, the places that it has, and the request that makes its channel."""

    places: tuple[str, ...]
    request: asyncio.Task[None]


class Legs:
    """What is rung for a call, and the places it holds at destinations and on trunks."""

    def __init__(self, call: Call, capacity: Capacity, ring_timeout_ms: int, max_duration_ms: int) -> None:
        self._call = call
        self._capacity = capacity
        self._timeout_s = (ring_timeout_ms + DIAL_BACKSTOP_MS) // 1000
        # Nobody may be there to hang up on who has answered.
        longest_s = self._timeout_s + (max_duration_ms + BACKSTOP_MS) / 1000
        self._variables = {ABSOLUTE_TIMEOUT: f"{longest_s:.3f}"}
        self._open: dict[int, _Channel] = {}
        self._numbers: dict[str, int] = {}  # channel id -> leg
        self._prompts: dict[int, str] = {}  # leg -> the playback it hears
        self._goodbyes: dict[int, tuple[str, int]] = {}  # leg -> its last playback, until when at most

    def channel_id(self, leg: int) -> str:
        """The id of the leg's channel."""
        return leg_id(self._call.name, leg)

    def number_of(self, channel_id: str) -> int | None:
        """The leg whose channel this is, while it is there."""
        return self._numbers.get(channel_id)

    def still_there(self) -> list[int]:
        """Legs that were dialled and whose channels are not gone."""
        return list(self._open)

    # Ring, hang up

    def ring(self, leg: int, dial: Dial, places: Mapping[str, int]) -> str | None:
        """Dials, and takes all of the places, each with its size; or gives the one where there is no room.

        A refusal comes as `NotDialled`.
        """
        for place, size in places.items():
            if not self._capacity.has_room(place, size):
                return place
        for place, size in places.items():
            self._capacity.take(place, size)
        channel_id = self.channel_id(leg)
        self._numbers[channel_id] = leg
        request = self._call.post(self._originate(leg, channel_id, endpoint(dial)))
        self._open[leg] = _Channel(tuple(places), request)
        return None

    async def _originate(self, leg: int, channel_id: str, target: str) -> None:
        call = self._call
        try:
            await call.client.until_connected()  # or Asterisk would hang up on who answers
            await call.client.channels.originate(
                call.inbox,
                channel_id,
                target,
                caller_id=call.record.ani or "anonymous",
                timeout_s=self._timeout_s,
                originator=call.channel_id,
                variables=self._variables,
            )
        except AriError as error:
            if isinstance(error, AriTimeout | AriUnavailable):  # the channel may be there all the same
                call.post(call.client.channels.hangup(channel_id))
            cause = None if isinstance(error, AriUnavailable) else NO_CAUSE
            call.inbox.put(NotDialled(leg, cause, _said(error)))
            return
        if leg in self._open:  # it may have ended already
            call.is_up(channel_id)

    def hang_up(self, leg: int, reason: Reason) -> None:
        """Hangs the leg up, once the request that makes its channel is answered."""
        if leg in self._open:
            self._call.post(self._hang_up(leg, self._open[leg].request, reason))

    async def _hang_up(self, leg: int, request: asyncio.Task[None], reason: Reason) -> None:
        await request
        await self._call.client.channels.hangup(self.channel_id(leg), reason)

    def gone(self, leg: int) -> None:
        """The leg's channel is gone: its places are given back."""
        channel = self._open.pop(leg, None)
        if channel is None:
            return
        self._numbers.pop(self.channel_id(leg))
        self._call.is_gone(self.channel_id(leg))
        self._prompts.pop(leg, None)
        self._goodbyes.pop(leg, None)
        for place in channel.places:
            self._capacity.give_back(place)

    # Say

    def say(self, leg: int, *prompts: str) -> None:
        """Plays prompts to the leg, one after the other, in place of what it hears."""
        playback_id = self._call.mint("play")
        self.hush(leg)
        self._prompts[leg] = playback_id
        self._call.post(self._call.play_as(playback_id, self.channel_id(leg), *prompts))

    def hush(self, leg: int) -> bool:
        """Stops what the leg hears; False when it hears nothing. Its end is still to come."""
        if leg not in self._prompts:
            return False
        self._call.post(self._call.client.playbacks.stop(self._prompts[leg]))
        return True

    def say_taken(self, leg: int) -> None:
        """Tells the leg that the call is taken; it is hung up after that."""
        self.say(leg, TAKEN_PROMPT)
        self._goodbyes[leg] = (self._prompts.pop(leg), self._call.now() + GOODBYE_MS)

    def playback_finished(self, playback_id: str) -> int | None:
        """The leg whose prompt came to its end, if this was one. A goodbye's end hangs its leg up."""
        for leg, (goodbye, _) in self._goodbyes.items():
            if goodbye == playback_id:
                self._end_goodbye(leg)
                return None
        for leg, prompt in self._prompts.items():
            if prompt == playback_id:
                del self._prompts[leg]
                return leg
        return None

    def next_goodbye(self) -> int | None:
        """When `end_goodbyes` is wanted, ms, or None."""
        return min((until for _, until in self._goodbyes.values()), default=None)

    def end_goodbyes(self, now: int) -> None:
        """Hangs up legs whose goodbye has taken too long."""
        for leg in [leg for leg, (_, until) in self._goodbyes.items() if now >= until]:
            self._end_goodbye(leg)

    def cut_goodbyes_short(self) -> None:
        """Hangs up every leg that still hears its goodbye."""
        for leg in list(self._goodbyes):
            self._end_goodbye(leg)

    def _end_goodbye(self, leg: int) -> None:
        del self._goodbyes[leg]
        self.hang_up(leg, "answered_elsewhere")


def _said(error: AriError) -> str:
    """What an error says of a leg: where Asterisk refused, its own words."""
    return f"{error.status} {error.reason}" if isinstance(error, AriHttpError) else str(error)
