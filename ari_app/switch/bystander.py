"""The people of a call of a switch before this one that could not be taken up: treated decently.

who talks       goes on talking, until one of the two hangs up. How long is written down of a call that was set aside
                (`Bystander`), so that it is judged by its own terms once a switch can read them; a call of which
                nothing is known (`Strangers`) is judged by nobody
who waits       is served as a new call, as if it came now (`recovery.sweep` does it)
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

LONGEST_MS = Route().max_duration  # of a conversation whose own limit cannot be read


class Bystander:
    """Watches a call that was set aside. `keep` writes it down as it stands; called in a thread."""

    def __init__(self, call: Call, surveyed: FirstLook, keep: Callable[[], None]) -> None:
        """Before the first event is read, so that none is missed."""
        self.call = call
        self.record = call.record
        self.legs: list[Leg] = []
        self._last_seen = max(call.under_way.last_seen or 0, call.record.events[-1].at)
        self._surveyed = surveyed
        self._keep = keep
        self._rung = rung(call.under_way)
        for channel_id in {*self._rung, *filter(None, [call.under_way.agent])}:
            call.client.watch(call.inbox, channel_id)

    async def run(self) -> None:
        """Returns when nobody talks any more. What is written down then waits for its verdict."""
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
        """The agent's channel, where caller and agent are in a bridge together."""
        call = self.call
        theirs = [call.under_way.agent, *self._rung]
        members = found.with_(call.channel_id)
        return next((name for name in theirs if name in members), None)

    async def _watch(self, agent: str) -> None:
        call, record = self.call, self.record
        if record.winner is None:
            if winning_leg(record) is None and agent in self._rung:
                recovery.assume_awarded(record, self._rung[agent], self._last_seen)
            recovery.assume_connected(record, self._last_seen)
        call.under_way.parties["agent"] = agent
        call.is_up(agent)
        call.note(EventName.SET_ASIDE, f"talks to {record.winner}")
        try:
            await asyncio.to_thread(self._keep)
            record.end_source = await talk_on(call, LONGEST_MS)
        except CallerGone as gone:
            record.end_source = gone.by
        except asyncio.CancelledError:  # the switch is stopping
            record.end_source = "system"
        record.ended_at = call.end()
        call.note(EventName.ENDED, f"by the {record.end_source}")
        await call.hang_up()
        await call.requests_done()

    def _close(self, found: Survey) -> None:
        """Nobody talks: the call is over, as of when it was last seen."""
        record, caller = self.record, self.call.channel_id in found.channels
        agent = self.call.under_way.agent in found.channels
        by = recovery.close(record, Remains(caller=caller, agent=agent, together=False), self._last_seen)
        record.disposition = record.disposition or "failed"
        record.end_source, record.ended_at = by, self._last_seen
        self.call.note(
            EventName.SET_ASIDE, "the caller is served as a new call" if caller else "nobody was there"
        )


class Strangers:
    """Two who talk in a bridge of a call of which nothing is known: its line of the journal is lost, or cannot be read.

    Watched as soon as it is made. Their record says how the call began, where that could be read (`Journal.lost`).
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
        """Returns when they have parted, or another switch sees to them. Cancelled, it hangs both up."""
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
        """Whether it is for us to let them go."""
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
