"""What agents and callers have in common: a SIPp process, its audio, and its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ari_app.lab.sipp import rtp
from ari_app.lab.sipp.call import Call, CallEvent, Log
from ari_app.lab.sipp.media import Media
from ari_app.lab.sipp.process import Process, SippFailed
from ari_app.lab.sipp.steps import Step


class Party(Log):
    """A SIP party on 127.0.0.1: `events` are the events of all its calls; `calls` has each call by its Call-ID."""

    def __init__(self, name: str, plan: Sequence[Step], tone_hz: int) -> None:
        super().__init__(name)
        self.name = name
        self.tone_hz = tone_hz
        self.calls: dict[str, Call] = {}
        self._plan = plan
        self._tone = rtp.tone(tone_hz)
        self._media = Media()
        self._plans: dict[str, asyncio.Task[None]] = {}
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None

    def _make_process(self, media_port: int) -> Process:
        raise NotImplementedError

    async def start(self) -> Self:
        """Start the audio and SIPp. Raises SippFailed."""
        await self._media.open()
        self._process = self._make_process(self._media.port)
        await self._process.start()
        self._reader = asyncio.create_task(self._read(self._process))
        return self

    async def stop(self) -> None:
        """End SIPp and all tasks of this party. Raises the error of a plan or of SIPp, if there was one."""
        assert self._process and self._reader, f"{self.name} was not started"
        for plan in self._plans.values():
            plan.cancel()
        failures = await asyncio.gather(*self._plans.values(), return_exceptions=True)
        errors = self._process.errors()
        await self._process.stop()
        await self._reader
        self._media.close()
        for failure in failures:
            if isinstance(failure, Exception):
                raise failure
        if errors:
            raise SippFailed(f"{self.name}: SIPp reports: {errors}")

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """SIPp's process id; None before `start`."""
        return self._process.pid if self._process else None

    @property
    def call(self) -> Call:
        """The latest call. Raises IndexError before the first."""
        return list(self.calls.values())[-1]

    async def _read(self, process: Process) -> None:
        async for line in process.lines():
            self._take(process, _parse(line))
        for log in (self, *self.calls.values()):
            log.complete()

    def _take(self, process: Process, event: CallEvent) -> None:
        """Record an event from SIPp, and react to it."""
        call = self.calls.get(event.call_id)
        if call is None:
            name = f"{self.name} {event.call_id}"
            call = self.calls[event.call_id] = Call(name, event.call_id, process.tell, self.add)
        if event.what == "established" and call.of("established"):
            return  # a retransmitted ACK
        if "rtp" in event.detail:
            call.audio = self._media.stream(("127.0.0.1", int(event.detail["rtp"])), self._tone)
        call.add(event)
        self.add(event)
        if event.what == "established":
            self._plans[call.id] = asyncio.create_task(call.perform(self._plan))
        elif event.what in ("bye", "hung_up", "ended") and (plan := self._plans.get(call.id)):
            plan.cancel()


def _parse(line: str) -> CallEvent:
    """A line `event|date time epoch|call id|name=value|...` of a scenario's log, without empty values."""
    what, stamp, call_id, *pairs = line.split("|")
    split = (pair.split("=", 1) for pair in pairs)
    return CallEvent(float(stamp.split()[-1]), what, call_id, {name: value for name, value in split if value})
