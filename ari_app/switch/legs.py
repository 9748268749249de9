"""The legs of one race in Asterisk: channels that are rung, hear prompts and are hung up.

A leg is known by the number that the race gave it; its channel id is made from the call's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ari_app.ari.errors import (
    AriError,
    AriHttpError,
    AriTimeout,
    AriUnavailable,
    NotFound,
    ServerError,
)
from ari_app.ari.events import ChannelDtmfReceived
from ari_app.domain.ivr.echoes import Echoes
from ari_app.domain.ivr.prompts import TAKEN_PROMPT
from ari_app.domain.market.destinations import Dial
from ari_app.domain.routing.invites import Invite
from ari_app.domain.routing.legs import LegAnswered, LegSoundless
from ari_app.serving.dialstrings import endpoint, variables
from ari_app.serving.ids import leg_id
from ari_app.serving.protocols import Capacity
from ari_app.switch.call import ABSOLUTE_TIMEOUT, BACKSTOP_MS, NO_CAUSE, Call

# Asterisk gives up a leg this long after the race would have: it matters only when no switch is there.
DIAL_BACKSTOP_MS = 10_000
GOODBYE_MS = 6_000
LEG_OF = "X-Callrace-Call"  # the header with the call's id, in case the leg comes back as a call
# When a phone redirects a call, nobody is dialled at the new address. Asterisk would dial it in this context of the
# dialplan, and there is no context of this name.
FORWARD_CONTEXT = {"FORWARD_CONTEXT": "callrace-never-forwards"}
# The address to which a channel's audio goes: empty if the answer has no codec of ours, "(null)" if the audio is to go
# nowhere (c=0.0.0.0, a=inactive).
AUDIO_GOES_TO = "CHANNEL(rtp,dest)"
NOWHERE = ("", "(null)")

Reason = Literal["answered_elsewhere", "normal"]


@dataclass(frozen=True, slots=True)
class NotDialled:
    """Asterisk did not confirm that it made the channel of leg `leg`. Put into the call's inbox.

    `cause` is None when the connection was lost before the request. `why` is the text for the record.
    `status` is the HTTP status of Asterisk's refusal; None: no answer came.
    """

    leg: int
    cause: int | None
    why: str
    status: int | None = None


@dataclass(slots=True)
class _Row:
    """A dialled leg: the places that it takes, the request that makes its channel, and the prompt that it hears.

    `request` is None of a leg that an earlier switch dialled. `echoes` has heard all keys that were pressed on it.
    """

    number: int
    channel_id: str
    places: tuple[str, ...]
    request: asyncio.Task[None] | None
    playback: str | None = None
    echoes: Echoes = field(default_factory=Echoes)


class Legs:
    """The legs of a call, and the places that they take at destinations and on trunks."""

    def __init__(
        self,
        call: Call,
        capacity: Capacity,
        ring_timeout_ms: int,
        max_duration_ms: int,
        may_transfer: bool = False,
    ) -> None:
        """`may_transfer`: who answers may transfer the call."""
        self._call = call
        self._may_transfer = may_transfer
        self._capacity = capacity
        self._timeout_s = (ring_timeout_ms + DIAL_BACKSTOP_MS) // 1000
        # If the switch dies, nobody is there to hang up an agent who has answered.
        longest_s = self._timeout_s + (max_duration_ms + BACKSTOP_MS) / 1000
        self._variables = FORWARD_CONTEXT | {
            ABSOLUTE_TIMEOUT: f"{longest_s:.3f}",
            f"PJSIP_HEADER(add,{LEG_OF})": call.record.id,
        }
        self._rows: dict[str, _Row] = {}  # by channel id: legs whose channels still exist
        self._goodbyes: dict[str, int] = {}  # channel id -> when the last prompt, which is playing, ends (ms)

    def channel_id(self, leg: int) -> str:
        """The id of the leg's channel."""
        return leg_id(self._call.name, leg)

    def number_of(self, channel_id: str) -> int | None:
        """The leg with this channel, while the channel exists."""
        row = self._rows.get(channel_id)
        return None if row is None else row.number

    def is_echo(self, key: ChannelDtmfReceived) -> bool:
        """Whether Asterisk has told this key of a leg before."""
        row = self._rows.get(key.channel_id)
        return row is not None and row.echoes.is_echo(key.digit, key.at_ms, key.duration_ms)

    def still_there(self) -> list[int]:
        """The dialled legs whose channels still exist."""
        return [row.number for row in self._rows.values()]

    def _row(self, leg: int) -> _Row | None:
        return self._rows.get(self.channel_id(leg))

    # Ring, hang up

    def ring(self, leg: int, dial: Dial, places: Mapping[str, int], invite: Invite) -> str | None:
        """Dials, and takes all of the places (place: its limit); or returns the place that is full.

        If Asterisk refuses, `NotDialled` is put into the inbox.
        """
        for place, size in places.items():
            if not self._capacity.has_room(place, size):
                return place
        for place, size in places.items():
            self._capacity.take(place, size)
        channel_id = self.channel_id(leg)
        request = self._call.post(self._originate(leg, channel_id, dial, invite))
        self._rows[channel_id] = _Row(leg, channel_id, tuple(places), request)
        return None

    def resume(self, leg: int, places: Mapping[str, int]) -> None:
        """A leg of an earlier switch: takes those of its places that are free."""
        taken = tuple(place for place, size in places.items() if self._capacity.take(place, size))
        channel_id = self.channel_id(leg)
        self._rows[channel_id] = _Row(leg, channel_id, taken, None)
        self._call.is_up(channel_id)

    async def _originate(self, leg: int, channel_id: str, dial: Dial, invite: Invite) -> None:
        call = self._call
        try:
            await call.client.until_connected()  # or Asterisk would hang up on an agent who answers
            await call.client.channels.originate(
                call.inbox,
                channel_id,
                endpoint(dial, self._may_transfer),
                caller_id=invite.shows or "anonymous",
                timeout_s=self._timeout_s,
                originator=call.channel_id,
                variables=self._variables | variables(invite, self._may_transfer and dial.trunk is None),
            )
        except AriError as error:
            if isinstance(error, AriTimeout | AriUnavailable):  # the channel may exist all the same
                call.post(call.client.channels.hangup(channel_id))
            cause = None if isinstance(error, AriUnavailable) else NO_CAUSE
            status = error.status if isinstance(error, AriHttpError) else None
            call.inbox.put(NotDialled(leg, cause, _said(error), status))
            return
        if channel_id in self._rows:  # it may have ended already
            call.is_up(channel_id)

    def listen(self, leg: int) -> None:
        """Checks whether an answered leg has audio, and puts `LegAnswered` or `LegSoundless` into the inbox.

        Puts neither if the channel is gone (that has its own event), or if the connection breaks (a survey finds it).
        """
        self._call.post(self._listen(leg))

    async def _listen(self, leg: int) -> None:
        call = self._call
        try:
            goes_to = await call.client.channels.get_channel_var(self.channel_id(leg), AUDIO_GOES_TO)
        except (NotFound, AriUnavailable):
            return
        except ServerError:
            goes_to = ""
        call.inbox.put(LegSoundless(leg) if goes_to in NOWHERE else LegAnswered(leg))

    def hang_up(self, leg: int, reason: Reason) -> None:
        """Hangs the leg up, once the request that makes its channel is answered."""
        row = self._row(leg)
        if row is not None:
            self._call.post(self._hang_up(row, reason))

    async def _hang_up(self, row: _Row, reason: Reason) -> None:
        if row.request is not None:
            await row.request
        await self._call.client.channels.hangup(row.channel_id, reason)

    def gone(self, leg: int) -> None:
        """The leg's channel is gone: gives back its places."""
        row = self._rows.pop(self.channel_id(leg), None)
        if row is None:
            return
        self._goodbyes.pop(row.channel_id, None)
        self._call.is_gone(row.channel_id)
        for place in row.places:
            self._capacity.give_back(place)

    # Say

    def say(self, leg: int, *prompts: str) -> None:
        """Plays prompts to the leg, one after the other, instead of what it hears now."""
        row = self._row(leg)
        if row is not None:
            self._say(row, *prompts)

    def _say(self, row: _Row, *prompts: str) -> None:
        self._hush(row)
        row.playback = self._call.mint("play")
        self._call.post(self._call.play_as(row.playback, row.channel_id, *prompts))

    def hush(self, leg: int) -> None:
        """Stops the prompt that the leg hears. The event of its end comes later."""
        row = self._row(leg)
        if row is not None:
            self._hush(row)

    def _hush(self, row: _Row) -> None:
        if row.playback is not None:
            self._call.post(self._call.client.playbacks.stop(row.playback))

    def say_taken(self, leg: int) -> None:
        """Plays to the leg that the call is taken; after that the leg is hung up."""
        row = self._row(leg)
        if row is not None:
            self._say(row, TAKEN_PROMPT)
            self._goodbyes[row.channel_id] = self._call.now() + GOODBYE_MS

    def playback_finished(self, playback_id: str) -> int | None:
        """The leg whose prompt has ended, or None. At the end of its goodbye a leg is hung up."""
        for row in self._rows.values():
            if row.playback == playback_id:
                row.playback = None
                if row.channel_id not in self._goodbyes:
                    return row.number
                self._end_goodbye(row.channel_id)
        return None

    def next_goodbye(self) -> int | None:
        """When to call `end_goodbyes` next (ms), or None."""
        return min(self._goodbyes.values(), default=None)

    def end_goodbyes(self, now: int) -> None:
        """Hangs up the legs whose goodbye takes too long."""
        for channel_id in [name for name, until in self._goodbyes.items() if now >= until]:
            self._end_goodbye(channel_id)

    def cut_goodbyes_short(self) -> None:
        """Hangs up every leg that still hears its goodbye."""
        for channel_id in list(self._goodbyes):
            self._end_goodbye(channel_id)

    def _end_goodbye(self, channel_id: str) -> None:
        del self._goodbyes[channel_id]
        self.hang_up(self._rows[channel_id].number, "answered_elsewhere")


def _said(error: AriError) -> str:
    """The text of an error for the record: if Asterisk refused, its own words."""
    return f"{error.status} {error.reason}" if isinstance(error, AriHttpError) else str(error)
