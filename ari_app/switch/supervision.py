"""What the switch sees of Asterisk beside its calls: after a break of events, when it starts, and by AMI.

None of it is needed for a call.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from ari_app.ari.client import Client
from ari_app.ari.errors import AriReplaced
from ari_app.ari.events import StasisStart
from ari_app.serving.market import Market
from ari_app.serving.phones import Phones
from ari_app.switch.admission import let_go
from ari_app.switch.inhand import InHand
from ari_app.switch.metrics import Metrics
from ari_app.switch.recovery import sweep
from ari_app.switch.survey import FirstLook, Survey, Surveyed, look
from ari_app.switch.sweeper import Sweeper

log = logging.getLogger(__name__)

ON_THEIR_WAY_S = 0.1  # events of what ended just before a survey come by another connection than its answer


class Supervision:
    """`serve` is given the callers who came while no switch heard of them."""

    def __init__(
        self,
        market: Market,
        phones: Phones,
        in_hand: InHand,
        metrics: Metrics,
        serve: Callable[[StasisStart], None],
    ) -> None:
        self._market = market
        self._phones = phones
        self._in_hand = in_hand
        self._metrics = metrics
        self._serve = serve
        self._sweeper = Sweeper()
        self._seen: Mapping[str, Any] = {"ami": "not connected", "problem": "not watched"}
        self._first: FirstLook | None = None  # for the calls that a switch before this one left
        self._looking: asyncio.Task[None] | None = None  # for those under way, after a break

    # What is there

    def first_look(self, client: Client) -> FirstLook:
        """Looks what is there as the switch starts; `sweep` is to follow, when its calls are known."""
        self._first = FirstLook(client)
        return self._first

    def sweep(self, client: Client, surveyed: FirstLook) -> None:
        """Lets go of what belongs to no call."""
        self._in_hand.do(self._sweep(client, surveyed.found))

    def look_again(self, client: Client) -> None:
        """Asterisk's events of a while are lost: one survey tells each call, and finds who came or was left behind."""
        if self._looking is not None:
            self._looking.cancel()  # it broke again since: what was seen before is not the last word
        self._looking = self._in_hand.do(self._sweep(client, lambda: self._tell_the_calls(client)))

    async def _tell_the_calls(self, client: Client) -> Survey:
        connection = client.connections
        found = await look(client)
        await asyncio.sleep(ON_THEIR_WAY_S)
        await client.announce(Surveyed(found), connection)
        return found

    async def _sweep(self, client: Client, looked: Callable[[], Awaitable[Survey]]) -> None:
        hands = self._in_hand
        with suppress(AriReplaced):  # which ends the switch
            await sweep(client, await looked(), hands.had, self._serve, hands.let_talk)

    def look_no_more(self) -> None:
        """Asterisk may never answer."""
        for endless in (self._first, self._looking):
            if endless is not None:
                endless.cancel()

    # By AMI

    def trunks(self) -> set[str]:
        """The trunks by which destinations are dialled."""
        snapshot = self._market.snapshot
        destinations = snapshot.marketplace.destinations.values() if snapshot else ()
        return {one.dial.trunk for one in destinations if one.dial.trunk is not None}

    def phone_changed(self, phone: str, state: str) -> None:
        """A registered phone's device state is now `state`, in Asterisk's words."""
        self._phones.take_over(self._market.snapshot)
        self._phones.changed(phone, state)

    def supervised(self, client: Client | None, seen: Mapping[str, Any], loose: Collection[str]) -> None:
        """What was seen (`ami`, `problem`, ...), and the channels in no bridge; stray legs are hung up."""
        if seen["problem"] != self._seen["problem"]:
            log.info("supervision: %s", seen["problem"] or "watching Asterisk by AMI")
        self._seen = seen
        if seen["problem"]:
            self._phones.forget()
            return
        self._phones.take_over(self._market.snapshot)
        calls = {session.call.name for session in self._in_hand.calls()}
        for channel_id in self._sweeper.stale(loose, calls, time.monotonic()):
            log.warning("leg %s is hung up: its call is over", channel_id)
            self._metrics.swept.inc()
            if client is not None:
                self._in_hand.do(let_go(client, channel_id))

    def status(self) -> dict[str, Any]:
        """What was seen last."""
        return {**self._seen, "phones": self._phones.counts(), "stray_legs": self._sweeper.strays()}

    def phones(self) -> Mapping[str, str]:
        """The device states of registered phones, as far as they are known."""
        return self._phones.states()
