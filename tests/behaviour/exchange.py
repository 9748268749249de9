"""What the scripts say: who calls, whose phone rings, what becomes of the call.

ann = exchange.agent("ann").accepts(after_s=3)
await exchange.serves(accept="press-1")
call = exchange.dials()
await call.connected()
record = await call.hangs_up(after_s=90).over()
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from ari_app.ari.client import connect
from ari_app.ari.settings import AriSettings
from ari_app.ari.testing import Asterisk, Caller, Phone
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import media
from ari_app.serving.clock import CallClock
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db.errors import WriterStopped
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.kit.market import DID, marketplace
from tests.kit.switch import assembled

MONDAY_NOON_MS = 1_795_453_200_000  # 2026-11-23T17:00:00Z: noon in New York
SETTINGS = AriSettings("127.0.0.1", 8088, "callrace", "secret", lanes=4)
GEOGRAPHY = Geography(
    zips={
        "10001": ("NY", 40.75, -73.99, "America/New_York"),
        "90210": ("CA", 34.09, -118.41, "America/Los_Angeles"),
    },
    area_codes={"212": ("NY", "America/New_York"), "310": ("CA", "America/Los_Angeles")},
)
SETTLED_S = 30.0  # in which everything that a call has left is gone


class Call(Caller):
    """Somebody who calls, and what is written down of it."""

    def __init__(self, exchange: Exchange, did: str, ani: str | None) -> None:
        super().__init__()
        self._exchange = exchange
        self.did = did
        self.ani = ani

    async def over(self) -> CallRecord:
        """Its record, once it is settled and saved."""
        return await self._exchange.record_of(self)

    async def connected(self, to: Phone | None = None) -> None:
        """Returns when the caller hears somebody, or this phone."""
        asterisk = self._exchange.asterisk

        def is_connected() -> bool:
            partners = asterisk.partners(self.channel) if self.channels else set()
            return bool(partners if to is None else partners & {one.id for one in to.channels})

        await asterisk.until(is_connected)

    async def hears(self, prompt: str) -> None:
        """Returns when a prompt begins for the caller."""
        await self._exchange.asterisk.until(lambda: media(prompt) in self.heard)


class Exchange:
    """A switch, its database, and the Asterisk that it serves."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.asterisk = Asterisk()
        self.engine = migrated(home / "callrace.db")
        self.recorder = Tape()
        self.transport = self.asterisk.transport()
        self.agents: dict[str, Phone] = {}
        self._saved: list[CallRecord] = []
        self.named: set[str] = set()  # every event in a timeline
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()
        self._callers = 0

    # The market

    def agent(self, name: str) -> Phone:
        """A phone that rings for a destination of the same name, and does nothing yet."""
        phone = self.agents[name] = self.asterisk.phones[f"PJSIP/agents/{uri(name)}"] = Phone()
        self.asterisk.phones[f"PJSIP/agents-transfer/{uri(name)}"] = phone
        return phone

    async def serves(self, *, also: Mapping[str, Any] | None = None, **market: Any) -> None:
        """Puts a market of one campaign and all agents in force, and starts the switch.

        `market` as `marketplace` takes it; `also` adds to the document's objects, or replaces them.
        """
        document = marketplace({name: uri(name) for name in self.agents}, **market)
        for key, value in (also or {}).items():
            both = isinstance(value, dict) and isinstance(document.get(key), dict)
            document[key] = _merged(document[key], value) if both else value
        self.applies(document)
        await self.starts()

    def applies(self, document: Mapping[str, Any]) -> None:
        """Puts a document in force; a running switch is not told."""
        text = yaml.safe_dump(dict(document), sort_keys=False)
        marketplaces.apply(self.engine, parse(text, "test.yaml"), CallClock().now())

    # The switch

    async def starts(self) -> None:
        """A switch starts, and takes up what one before it left."""
        self.writer = AtOnce(self)
        made = assembled(self.engine, self.home, GEOGRAPHY, writer=self.writer)
        self.switch, self.journal = made.switch, made.journal
        self.switch.load()
        self.switch.shared.recorder = self.recorder
        connected = connect(SETTINGS, self.switch.on_incoming, self.transport, self.switch.on_reconnected)
        self.switch.client = await self._stack.enter_async_context(connected)
        self.switch.recover()

    def dies(self) -> None:
        """The switch is killed: it does nothing more, and what it wrote down is all that is known."""
        for session in self.switch._in_hand.sessions.values():  # its timers end with it
            session.reservation.close()
        self.journal.close()
        self._last_seen_now()
        self.writer.close(1)
        self.transport = self.asterisk.transport()

    async def hands_over(self) -> None:
        """The switch leaves its calls to another, which starts."""
        assert self.switch.hand_over()
        self._last_seen_now()
        self.transport = self.asterisk.transport()
        await self.starts()

    def _last_seen_now(self) -> None:
        """The journal's files tell when the switch last lived, and the disk has a clock of its own."""
        for path in (self.home / "journal").iterdir():
            os.utime(path, (time.time(), time.time()))

    async def close(self) -> None:
        """Sees that nothing is left of any call."""
        try:
            await self.passes(SETTLED_S)
            self.nothing_is_left()
        finally:
            await self.asterisk.close()
            await self.switch.drain()
            await self._stack.aclose()
            self.writer.close(1)
            self.journal.close()
            self.engine.dispose()

    def nothing_is_left(self) -> None:
        """Neither in Asterisk nor in the switch."""
        assert self.asterisk.left() == []
        status = self.switch.status()
        held = {key: status[key] for key in ("calls", "capacity_in_use", "on_trunks")}
        assert held == {"calls": 0, "capacity_in_use": {}, "on_trunks": {}}
        assert self.switch.client is not None and self.switch.client.watching() == (0, 0)

    # Calls

    def dials(
        self,
        did: str = DID,
        *,
        ani: str | None = "",
        attestation: str = "A",
        trunk: str = "carrier",
        invite: Mapping[str, str] | None = None,
    ) -> Call:
        """Somebody calls, by default from a number in New York of their own; None: without one.

        `invite`: what the dialplan hands over of the INVITE, for the switch to find `did` and `ani` in.
        """
        self._callers += 1
        ani = f"+1212555{1000 + self._callers}" if ani == "" else ani
        call = Call(self, did, ani)
        told = [did, ani or "", attestation]
        if invite is not None:
            told = [*[""] * 5, urlencode(invite, quote_via=quote)]
        data = ",".join(["callrace", "in", *told])
        self.asterisk.arrives(call, data, caller_id=ani or "", trunk=trunk)
        return call

    async def talks(self, name: str, **market: Any) -> tuple[Phone, Call]:
        """An agent who takes a call, and that call, when the two talk. `market` as `serves` takes it."""
        phone = self.agent(name).accepts()
        await self.serves(**market)
        call = self.dials()
        await call.connected(phone)
        return phone, call

    async def record_of(self, call: Call) -> CallRecord:
        """The record of this call."""
        async with asyncio.timeout(4 * 3600):
            while True:
                for record in self._saved:
                    if (record.did, record.ani) == (call.did, call.ani):
                        self._saved.remove(record)
                        return record
                self._news.clear()
                await self._news.wait()

    def saved(self, batch: Sequence[Settlement]) -> None:
        """These are in the database."""
        self.journal.settled(batch)
        self._saved += [settlement.record for settlement in batch]
        self.named |= {event.what for settlement in batch for event in settlement.record.events}
        self._news.set()

    def balance(self, account: str) -> int:
        """What an account stands at, in cents."""
        found = ledger.balances(self.engine).get((account, "USD"))
        return found.posted if found is not None else 0

    async def passes(self, seconds: float) -> None:
        """So much time goes by."""
        await asyncio.sleep(seconds)


class AtOnce(Writer):
    """A writer that does not wait for its thread: when a call is settled, it is saved."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange.engine, Spool(exchange.home / "spool"))
        self._exchange = exchange

    def submit(self, settlement: Settlement) -> None:
        if self._closing:
            raise WriterStopped("the switch is dead")
        calls.save(self._exchange.engine, [settlement])
        self._exchange.saved([settlement])


class Tape:
    """A recorder that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        self.told.append("again" if is_again else "start")
        return True

    async def stop(self, channel_id: str) -> None:
        self.told.append("stop")


def uri(name: str) -> str:
    """Where an agent's phone is."""
    return f"sip:{name}@127.0.0.1:5999"


def timeline(record: CallRecord) -> list[str]:
    """What happened, in order."""
    return [event.what for event in record.events]


def outcomes(record: CallRecord) -> dict[str, str | None]:
    """How each destination's leg ended."""
    return {leg.destination: leg.outcome for leg in record.legs}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both; where they differ, mappings are merged, and else the other holds."""
    merged = dict(one)
    for key, value in other.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
