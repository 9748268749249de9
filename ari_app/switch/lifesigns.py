"""Looks after the lines of those who talk in one call: `domain.routing.lifesigns` decides, this module looks and asks.

It looks at what has come from each line, by one request every few seconds, and asks the silent ones. The question is an
UPDATE in the party's dialog, sent by Asterisk's PJSIP_SEND_SESSION_REFRESH. Asterisk tells nobody of an answer, but
without one it ends the channel.
"""

from __future__ import annotations

from collections.abc import Iterator

from ari_app.ari.errors import AriError, ServerError
from ari_app.ari.events import ChannelDestroyed
from ari_app.domain.calls.stage import Role
from ari_app.domain.routing.lifesigns import LOOK_AGAIN_MS, LifeSigns, next_look, was_dead
from ari_app.domain.routing.transfers import is_with_transferee
from ari_app.switch import rtp
from ari_app.switch.call import Call

PACKETS = "CHANNEL(rtcp,all)"
QUESTION = "PJSIP_SEND_SESSION_REFRESH()"


class Vigil:
    """The lines of the parties of one call. No party is looked at before `begin`, nor after `end`."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lines: dict[str, LifeSigns] = {}  # by channel id
        self._without_rtp: set[str] = set()
        self._next_at: int | None = None
        self._under_way = 0  # looks that Asterisk has not answered yet

    def begin(self, alive_at: int | None = None) -> None:
        """They talk, and lived at `alive_at` (ms; None: now); or until then, as an earlier switch knew of a line."""
        now = self._call.now()
        self._lines.clear()
        self._look_at_parties(now if alive_at is None else alive_at)
        self._next_at = now + LOOK_AGAIN_MS

    def end(self) -> None:
        """They talk no more."""
        self._next_at = None

    def deadline(self) -> int | None:
        """When `look` is to be called (ms); None: nobody talks, or the connection to Asterisk is broken."""
        return None if self._call.has_lost_sight else self._next_at

    def look(self) -> bool:
        """Looks at every line, if it is time to, but not again before Asterisk has answered; returns whether it was."""
        now, at = self._call.now(), self.deadline()
        if at is None or now < at:
            return False
        self._next_at = next_look(self._lines.values(), now)
        if not self._under_way:
            self._look_at_all(now)
        return True

    def alive_until(self, event: ChannelDestroyed | None) -> int | None:
        """Until when the party lived whose channel ended so; None: until it ended, or that is not known."""
        if event is None or not was_dead(event.cause, event.tech_cause):
            return None
        line = self._lines.get(event.channel_id)
        return line.alive_at if line is not None and line.is_looked_at else None

    def packet_at(self, channel_id: str) -> int | None:
        """When the last packet of a line came."""
        line = self._lines.get(channel_id)
        return None if line is None else line.packet_at

    def _look_at_all(self, now: int) -> None:
        self._look_at_parties(now)
        for role, channel_id in self._talkers():
            if channel_id not in self._without_rtp:
                self._under_way += 1
                self._call.post(self._look(role, channel_id))

    def _look_at_parties(self, alive_at: int) -> None:
        """Adds the parties that are not looked at yet."""
        for role, channel_id in self._talkers():
            if channel_id not in self._lines:
                silent_since = self._call.under_way.line(role).silent_since
                self._lines[channel_id] = LifeSigns(alive_at if silent_since is None else silent_since)

    def _talkers(self) -> Iterator[tuple[Role, str]]:
        """The parties, but for a transferee who only rings."""
        is_transferred = is_with_transferee(self._call.record)
        for role, channel_id in self._call.under_way.parties.items():
            if role != "transferee" or is_transferred:
                yield role, channel_id

    async def _look(self, role: Role, channel_id: str) -> None:
        try:
            told = await self._call.client.channels.get_channel_var(channel_id, PACKETS)
        except ServerError:
            self._without_rtp.add(channel_id)
            return
        except AriError:
            return  # the channel, or the connection, is gone: that has an event of its own
        finally:
            self._under_way -= 1
        found, line = rtp.packets(told), self._lines.get(channel_id)
        if found is None or line is None:
            self._without_rtp.add(channel_id)
            return
        is_silent = line.look(found, self._call.now())
        if is_silent:
            await self._ask(role, channel_id, line)
        self._remember(role, line)

    async def _ask(self, role: Role, channel_id: str, line: LifeSigns) -> None:
        try:
            if role == "caller":
                await self._call.follow()
            await self._call.client.channels.set_channel_var(channel_id, QUESTION, "update")
        except AriError:
            line.not_asked()  # it is asked again after the next look

    def _remember(self, role: Role, line: LifeSigns) -> None:
        """For the next switch, if this one dies, while it waits for an answer."""
        silent_since = line.alive_at if line.asked_at is not None else None
        known = self._call.under_way.line(role)
        if self._next_at is not None and known.silent_since != silent_since:
            known.silent_since = silent_since
            self._call.keep()
