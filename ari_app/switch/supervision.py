"""How the switch watches Asterisk beside its calls: after a break of events, when it starts, and by AMI.

No call depends on it.
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
from ari_app.switch.admission import hang_up
from ari_app.switch.inhand import InHand
from ari_app.switch.metrics import Metrics
from ari_app.switch.recovery import sweep
from ari_app.switch.survey import FirstLook, Survey, Surveyed, look
from ari_app.switch.sweeper import Sweeper

log = logging.getLogger(__name__)

ON_THEIR_WAY_S = 0.1  # a survey's answer may overtake earlier events, which come on another connection


class Supervision:
    """`serve` is called for callers who came while no switch received events."""

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
        self._first: FirstLook | None = None  # for the calls of an earlier switch
        self._looking: asyncio.Task[None] | None = None  # for calls under way, after a break

    # Surveys

    def first_look(self, client: Client) -> FirstLook:
        """Starts the survey at the start of the switch; `sweep` must follow when the calls are known."""
        self._first = FirstLook(client)
        return self._first

    def sweep(self, client: Client, surveyed: FirstLook) -> None:
        """Hangs up channels, and removes bridges, that belong to no call."""
        self._in_hand.do(self._sweep(client, surveyed.found))

    def look_again(self, client: Client) -> None:
        """Events were lost in a break. One survey shows each call what has changed, and finds channels without one."""
        if self._looking is not None:
            self._looking.cancel()  # the connection broke again, so the earlier survey is out of date
        self._looking = self._in_hand.do(self._sweep(client, lambda: self._post_to_calls(client)))

    async def _post_to_calls(self, client: Client) -> Survey:
        connection = client.connections
        found = await look(client)
        await asyncio.sleep(ON_THEIR_WAY_S)
        await client.announce(Surveyed(found), connection)
        return found

    async def _sweep(self, client: Client, looked: Callable[[], Awaitable[Survey]]) -> None:
        hands = self._in_hand
        with suppress(AriReplaced):  # that ends the switch elsewhere
            await sweep(client, await looked(), hands.knows, self._serve, hands.watch_strangers)

    def look_no_more(self) -> None:
        """Cancels the surveys, as Asterisk may never answer."""
        for endless in (self._first, self._looking):
            if endless is not None:
                endless.cancel()

    # By AMI

    def trunks(self) -> set[str]:
        """The trunks by which destinations are dialled."""
        snapshot = self._market.snapshot
        destinations = snapshot.marketplace.destinations.values() if snapshot else ()
        dials = (one.dial for one in destinations)
        return {trunk for dial in dials for trunk in (dial.trunk, dial.or_trunk) if trunk is not None}

    def phone_changed(self, phone: str, state: str) -> None:
        """A registered phone has a new device state, named as in Asterisk."""
        self._phones.take_over(self._market.snapshot)
        self._phones.changed(phone, state)

    def supervised(self, client: Client | None, seen: Mapping[str, Any], loose: Collection[str]) -> None:
        """Takes what AMI has shown (`ami`, `problem`, ...), and the channels in no bridge; hangs up stray legs."""
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
                self._in_hand.do(hang_up(client, channel_id))

    def status(self) -> dict[str, Any]:
        """What AMI has shown last."""
        return {**self._seen, "phones": self._phones.counts(), "stray_legs": self._sweeper.strays()}

    def phones(self) -> Mapping[str, str]:
        """The known device states of registered phones."""
        return self._phones.states()
