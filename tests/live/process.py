"""The switch, and the AGI server, as processes of their own, that can be killed and started again."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Stage
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.ledger.verification import LedgerFinding
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.terms.wire import pack_under_way
from ari_app.media import prompts
from ari_app.serving import running
from ari_app.serving.clock import CallClock
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.calls.journal import Journal
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.market import marketplaces
from ari_app.store.money import audit
from tests.live.lab import REPO, Lab

CALLRACE = (sys.executable, "-m", "ari_app.cli.main")
START_S = 30.0
STOP_S = 40.0
_POLL_S = 0.02


class CallraceProcess:
    """`callrace WORDS`, with its log in a file. It is not started until `start`."""

    def __init__(self, words: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        self.environment = environment
        self._words = words
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def is_serving(self) -> bool:
        """Whether it does what it is there for."""
        raise NotImplementedError

    async def start(self) -> None:
        """Starts it; returns when it serves."""
        process = self._process = self._spawn()
        until = time.monotonic() + START_S
        while not self.is_serving():
            assert process.poll() is None and time.monotonic() < until, self.log()
            await asyncio.sleep(_POLL_S)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                (*CALLRACE, *self._words), cwd=REPO, env=self.environment, stdout=log, stderr=log
            )

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def stop(self) -> int | None:
        """Ends it politely, if it runs. Its exit code; None when it never ran."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)  # a test may have stopped it
            self._process.terminate()
        return await self.ended()

    async def ended(self, timeout_s: float = STOP_S) -> int:
        """Waits for its end; its exit code."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, timeout_s)

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()


class AgiProcess(CallraceProcess):
    """`callrace agi run`, with its log in `folder`."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        super().__init__(("agi", "run"), environment, folder / "agi.log")
        self._port = Settings.from_env(environment).agi_port

    def is_serving(self) -> bool:
        """Whether it takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


class SwitchProcess(CallraceProcess):
    """`callrace switch run` on the tests' Asterisk, with a database of its own and its log in `folder`."""

    def __init__(self, lab: Lab, folder: Path, database_url: str) -> None:
        environment = lab.environment | {"CALLRACE_DATABASE_URL": database_url}
        super().__init__(("switch", "run"), environment, folder / "switch.log")
        self.settings = Settings.from_env(environment)
        for left in (self.settings.spool, self.settings.journal):
            shutil.rmtree(left, ignore_errors=True)  # another test's
        self.engine = open_engine(self.settings.database_url)
        schema.upgrade(self.engine)

    def apply(self, document: Mapping[str, Any]) -> None:
        """Puts a marketplace in force, its prompts rendered."""
        wanted = parse(yaml.safe_dump(dict(document), sort_keys=False), "test.yaml")
        prompts.prepare(prompts_of(wanted), Path(), self.settings.prompts)
        marketplaces.apply(self.engine, wanted, CallClock().now())

    def is_serving(self) -> bool:
        """Whether Asterisk is connected."""
        try:
            return bool(self.ask("/status")["asterisk"] == "connected")
        except running.SwitchError:
            return False

    async def callrace(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on its home and database, to its end."""
        return await asyncio.to_thread(
            subprocess.run,
            (*CALLRACE, *words),
            cwd=REPO,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    async def live(self, stage: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """The one call under way, once its last step was this one."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = self.ask("/live")
                if len(found) == 1 and found[0]["stage"] == stage:
                    call: dict[str, Any] = found[0]
                    return call
                await asyncio.sleep(_POLL_S)

    def ask(self, resource: str) -> Any:
        """What the control socket answers."""
        return running.ask(self.settings, resource)

    async def record(self, timeout_s: float = 15.0) -> CallRecord:
        """The one call, once it is in the database."""
        async with asyncio.timeout(timeout_s):
            while not (found := calls.latest(self.engine)):
                await asyncio.sleep(_POLL_S)
        assert len(found) == 1
        return found[0]

    async def records(self, count: int, timeout_s: float = 15.0) -> dict[str | None, CallRecord]:
        """All calls, by the caller's number, once so many are in the database."""
        async with asyncio.timeout(timeout_s):
            while len(found := calls.latest(self.engine, limit=100)) < count:
                await asyncio.sleep(_POLL_S)
        assert len(found) == count
        return {record.ani: record for record in found}

    def ledger_findings(self) -> list[LedgerFinding]:
        """What `callrace ledger verify` would find."""
        return audit.prove(self.engine, CallClock().now()).findings

    async def written(self, is_so: Callable[[UnderWay], bool], timeout_s: float = 5.0) -> UnderWay:
        """The one call in the journal, once it stands so there."""
        async with asyncio.timeout(timeout_s):
            while len(found := self._journal()) != 1 or not is_so(found[0]):
                await asyncio.sleep(0.005)  # a folder tells nobody that it has changed
        return found[0]

    async def nothing_written(self, timeout_s: float = 5.0) -> None:
        """Waits until no call is in the journal."""
        async with asyncio.timeout(timeout_s):
            while self._journal():
                await asyncio.sleep(0.005)

    def _journal(self) -> list[UnderWay]:
        return Journal(self.settings.journal).left()

    def lose_journal(self) -> None:
        """As if it had died before it wrote anything down."""
        shutil.rmtree(self.settings.journal)

    def rewrite_journal(self, stage: Stage, agent: str | None, **changes: Any) -> None:
        """As if the one call had stood otherwise, its record too, when it was last written down."""
        (call,) = self._journal()
        call.stage = stage
        call.parties = {"caller": call.caller} | ({"agent": agent} if agent is not None else {})
        call.record = replace(call.record, **changes)
        (journal,) = self.settings.journal.glob("*.jsonl")
        journal.write_bytes(pack_under_way(call) + b"\n")


@asynccontextmanager
async def switch_process(
    lab: Lab, folder: Path, database_url: str | None = None
) -> AsyncIterator[SwitchProcess]:
    """A switch that can be started and killed; ended at the end, however that comes."""
    made = SwitchProcess(lab, folder, database_url or f"sqlite:///{folder}/callrace.db")
    try:
        yield made
        assert made.ledger_findings() == []
    finally:
        await made.stop()
        made.engine.dispose()
