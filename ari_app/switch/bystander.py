"""The parties of an earlier switch's call that could not be recovered.

a conversation  goes on until one party hangs up. For a call that was set aside (`Bystander`) its duration is recorded,
                so that the call is judged by its own terms once a switch can read them. A call of which nothing is
                known (`Strangers`) is never judged
a caller alone  is served as a new call that comes now (by `recovery.sweep`)
phones rung     are hung up (by `recovery.sweep`, too)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError, AriReplaced
from ari_app.ari.events import ChannelDestroyed, Reconnected, Replaced, StasisEnd
from ari_app.ari.inbox import Inbox
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.campaigns import Route
from ari_app.domain.routing import recovery
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.recovery import Remains, winning_leg
from ari_app.switch.call import Call, CallerGone
from ari_app.switch.conversation import talk_on
from ari_app.switch.recovery import rung
from ari_app.switch.survey import FirstLook, Survey, Surveyed, look

log = logging.getLogger(__name__)

LONGEST_MS = Route().max_duration  # limit of a conversation whose own limit cannot be read


class Bystander:
    """Watches a call that was set aside. `keep` saves its present state; it is called in a thread."""

    def __init__(self, call: Call, surveyed: FirstLook, keep: Callable[[], None]) -> None:
        """Make it before the first event is read, so that no event is missed."""
        self.call = call
        self.record = call.record
        self.legs: list[Leg] = []
        self._last_seen = max(call.under_way.last_seen or 0, call.record.events[-1].at)
        self._surveyed = surveyed
        self._keep = keep
        self._rung = rung(call.under_way)
        for channel_id in {*self._rung, *call.under_way.partners}:
            call.client.watch(call.inbox, channel_id)

    async def run(self) -> None:
        """Returns when the conversation is over. The saved call then waits for its verdict."""
        try:
            found = await self._surveyed.found()
            self.call.under_way.last_seen = None
            agent = self._partner(found)
            if agent is None:
                self._close(found)
            else:
                await self._watch(agent)
        except AriError as error:
            log.error("call %s, set aside: what becomes of it is not seen: %s", self.record.id, error)
        finally:
            self.call.inbox.close()
            await asyncio.to_thread(self._keep)

    def _partner(self, found: Survey) -> str | None:
        """The agent's channel, if caller and agent are in a bridge together."""
        call = self.call
        theirs = [call.under_way.transferee, call.under_way.agent, *self._rung]
        members = found.with_(call.channel_id)
        return next((name for name in theirs if name in members), None)

    async def _watch(self, agent: str) -> None:
        call, record = self.call, self.record
        if record.winner is None:
            if winning_leg(record) is None and agent in self._rung:
                recovery.assume_awarded(record, self._rung[agent], self._last_seen)
            recovery.assume_connected(record, self._last_seen)
        if agent == call.under_way.transferee:
            call.under_way.parties.pop("agent", None)
        else:
            call.under_way.parties["agent"] = agent
            call.under_way.parties.pop("transferee", None)
        call.is_up(agent)
        call.note(EventName.SET_ASIDE, f"talks to {record.winner}")
        try:
            await asyncio.to_thread(self._keep)
            record.end_source = await talk_on(call, None, LONGEST_MS, self._last_seen)
        except CallerGone as gone:
            record.end_source = gone.by
        except asyncio.CancelledError:  # the switch is stopping
            record.end_source = "system"
        record.ended_at = call.end()
        call.note(EventName.ENDED, f"by the {record.end_source}")
        await call.hang_up()
        await call.requests_done()

    def _close(self, found: Survey) -> None:
        """There is no conversation: the call ended when it was last seen."""
        record, caller = self.record, self.call.channel_id in found.channels
        agent = self.call.under_way.agent in found.channels
        by = recovery.close(record, Remains(caller=caller, agent=agent, together=False), self._last_seen)
        record.disposition = record.disposition or "failed"
        record.end_source, record.ended_at = by, self._last_seen
        self.call.note(
            EventName.SET_ASIDE, "the caller is served as a new call" if caller else "nobody was there"
        )


class Strangers:
    """Watches two parties in a bridge of an unknown call: its line in the journal is lost, or cannot be read.

    It watches from the moment it is made. The record has the call's beginning if that could be read (`Journal.lost`).
    """

    def __init__(self, client: Client, bridge: str, members: frozenset[str]) -> None:
        log.error(
            "%s talk in %s, of a call that nobody knows: they go on", " and ".join(sorted(members)), bridge
        )
        self._client = client
        self._bridge = bridge
        self._members = members
        self._inbox: Inbox = client.inbox()
        for name in members:
            client.watch(self._inbox, name)

    async def run(self) -> None:
        """Returns when the conversation is over, or when another switch takes over. If cancelled, it hangs up both."""
        is_ours = True
        try:
            if self._are_together(await look(self._client)):
                async with asyncio.timeout(LONGEST_MS / 1000):
                    is_ours = await self._until_they_part()
        except TimeoutError:
            log.warning("%s has lasted %d s: it is ended", self._bridge, LONGEST_MS / 1000)
        except AriReplaced:
            is_ours = False
        finally:
            if is_ours:
                await self._part()
            self._inbox.close()

    async def _until_they_part(self) -> bool:
        """Waits until they part; returns whether this switch has to hang them up."""
        while True:
            match await self._inbox.get():
                case ChannelDestroyed() | StasisEnd():
                    return True
                case Surveyed(found) if not self._are_together(found):
                    return True
                case Replaced() | Reconnected(restarted=True):
                    return False

    def _are_together(self, found: Survey) -> bool:
        return self._members <= found.bridges.get(self._bridge, frozenset())

    async def _part(self) -> None:
        try:
            for name in self._members:
                await self._client.channels.hangup(name)
            await self._client.bridges.destroy(self._bridge)
        except AriError as error:
            log.warning("%s is left in Asterisk: %s", self._bridge, error)
