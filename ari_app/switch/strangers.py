"""Two who talk in a bridge of a call of which nothing is known: the switch that had it died, and its line of the
journal is lost, or cannot be read. They go on talking, until one of them ends it.

Its record says how it began, where that could be read, and no more (`Journal.lost`): what cannot be read was kept, for
somebody to look at.
"""

from __future__ import annotations

import asyncio
import logging

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError, AriReplaced
from ari_app.ari.events import ChannelDestroyed, Reconnected, Replaced, StasisEnd
from ari_app.ari.inbox import Inbox
from ari_app.domain.market.campaigns import Route
from ari_app.switch.survey import Survey, Surveyed, look

log = logging.getLogger(__name__)

LONGEST_S = Route().max_duration / 1000  # if Asterisk does not end it before, as it was told to


class Strangers:
    """Those who talk in a bridge. Watched as soon as it is made."""

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
                async with asyncio.timeout(LONGEST_S):
                    is_ours = await self._until_they_part()
        except TimeoutError:
            log.warning("%s has lasted %d s: it is ended", self._bridge, LONGEST_S)
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
