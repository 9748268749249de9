"""A switch under test: a marketplace applied to a database of its own, served in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ari_app.ari.client import Client, connect
from ari_app.ari.settings import AriSettings
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.ledger.verification import LedgerFinding
from ari_app.lab.sipp import Agent, Behaviour
from ari_app.media import prompts
from ari_app.serving.clock import CallClock
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.market import marketplaces
from ari_app.store.money import audit
from ari_app.watch.recorder import recorder
from tests.kit.market import DID, marketplace
from tests.kit.switch import assembled

__all__ = ["DID", "Exchange", "marketplace", "phones", "uris"]


class Exchange:
    """A running switch, and the records of the calls it has settled."""

    def __init__(self, settings: Settings, home: Path) -> None:
        self._settings = settings
        self.engine = open_engine(f"sqlite:///{home}/callrace.db")
        schema.upgrade(self.engine)
        self._saved: asyncio.Queue[CallRecord] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        made = assembled(self.engine, home, geography.load(settings.home), on_saved=self._on_saved)
        self.switch, self._writer, self._journal = made.switch, made.writer, made.journal
        self._stack = contextlib.AsyncExitStack()
        self.client: Client | None = None

    def _on_saved(self, batch: Any) -> None:
        for settlement in batch:
            self._loop.call_soon_threadsafe(self._saved.put_nowait, settlement.record)

    def apply(self, document: Mapping[str, Any]) -> None:
        """Puts a marketplace in force, and has the switch know it."""
        self.put_in_force(document)
        self.switch.load()

    def put_in_force(self, document: Mapping[str, Any]) -> None:
        """Puts a marketplace in force, its prompts rendered; a running switch will notice."""
        wanted = parse(yaml.safe_dump(dict(document), sort_keys=False), "test.yaml")
        prompts.prepare(prompts_of(wanted), Path(), self._settings.prompts)
        marketplaces.apply(self.engine, wanted, CallClock().now())

    async def start(self) -> None:
        """Connects the switch to Asterisk."""
        ari = AriSettings(
            self._settings.ari_host, self._settings.ari_port, "callrace", self._settings.secret("ari")
        )
        self.switch.shared.recorder = await self._stack.enter_async_context(recorder(self._settings))
        self.client = await self._stack.enter_async_context(
            connect(ari, self.switch.on_incoming, on_reconnected=self.switch.on_reconnected)
        )
        self.switch.client = self.client
        self.switch.recover()

    async def record(self, timeout_s: float = 30.0) -> CallRecord:
        """The next call that is settled and saved."""
        async with asyncio.timeout(timeout_s):
            return await self._saved.get()

    async def records(self, count: int, timeout_s: float = 60.0) -> list[CallRecord]:
        """The next `count` calls."""
        async with asyncio.timeout(timeout_s):
            return [await self._saved.get() for _ in range(count)]

    async def connected(self, timeout_s: float = 10.0) -> None:
        """Waits until a call under way is connected to an agent."""
        async with asyncio.timeout(timeout_s):
            while not any(call["winner"] for call in self.switch.live()):
                await asyncio.sleep(0.01)  # what operators see is looked up, not announced

    def ledger_findings(self) -> list[LedgerFinding]:
        """What `callrace ledger verify` would find."""
        return audit.prove(self.engine, CallClock().now()).findings

    async def nothing_left(self, timeout_s: float = 10.0) -> None:
        """Waits until neither Asterisk nor the switch holds anything of any call."""
        assert self.client is not None
        async with asyncio.timeout(timeout_s):
            while (
                await self.client.channels.list()
                or await self.client.bridges.list()
                or self.client.watching() != (0, 0)
                or self.switch.status()["capacity_in_use"]
                or self.switch.status()["on_trunks"]
                or self.switch.status()["calls"]
            ):
                await asyncio.sleep(0.02)  # Asterisk has no event for "nothing is left"

    async def stop(self) -> None:
        """Drains the switch and disconnects it."""
        await self.switch.drain()
        await self._stack.aclose()
        self._writer.close(10)
        self._journal.close()
        self.engine.dispose()


@contextlib.asynccontextmanager
async def phones(behaviours: Mapping[str, Behaviour]) -> AsyncIterator[dict[str, Agent]]:
    """Agents' phones by destination id, each behaving as said, gone at the end."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(Agent(name, behaviour))
            for name, behaviour in behaviours.items()
        }


def uris(agents: Mapping[str, Agent]) -> dict[str, str]:
    """Where to dial them."""
    return {name: agent.uri for name, agent in agents.items()}
