"""The events of a SIP party, in order, and how to wait for one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from ari_app.lab.sipp.media import GAP_MS, PRESS_MS, Stream

HANGUP_METHOD = "HANGUP"


class NotSeen(AssertionError):
    """An awaited event did not come in time; the message lists what came instead."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One event at a SIP party.

    `at` is in seconds since the epoch (SIPp's clock, with microseconds). `detail` by event: invited {from, to};
    cancelled, cancel_crossed (the CANCEL crossed our answer) and bye {q850, sip}, the causes in the Reason headers if
    they were sent; refused {status}; pressed {digits}. Events without detail: ringing, answered (200 sent or received),
    established (audio flows), hung_up (by us), ended.
    """

    at: float
    what: str
    call_id: str
    detail: dict[str, str] = field(default_factory=dict)

    @property
    def cause(self) -> int | None:
        """The Q.850 cause of a CANCEL or BYE; 26 is "answered elsewhere"."""
        return int(self.detail["q850"]) if "q850" in self.detail else None


class Log:
    """An ordered record of events that can be awaited."""

    def __init__(self, owner: str) -> None:
        self.events: list[CallEvent] = []
        self._owner = owner
        self._news = asyncio.Event()
        self._complete = False

    def add(self, event: CallEvent) -> None:
        """Append an event and wake all waiters."""
        self.events.append(event)
        self._wake()

    def complete(self) -> None:
        """Say that no more events will come, so that waiters fail now."""
        self._complete = True
        self._wake()

    def of(self, what: str) -> list[CallEvent]:
        """All events of one kind, in order."""
        return [event for event in self.events if event.what == what]

    async def wait_for(self, what: str, timeout_s: float = 10.0, nth: int = 1) -> CallEvent:
        """The nth event of a kind; waits for it if it has not come yet. Raises NotSeen."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(found := self.of(what)) < nth:
                    if self._complete:
                        raise self._not_seen(what, nth, "before SIPp ended")
                    await self._news.wait()
        except TimeoutError:
            raise self._not_seen(what, nth, f"in {timeout_s} s") from None
        return found[nth - 1]

    def _not_seen(self, what: str, nth: int, when: str) -> NotSeen:
        seen = ", ".join(event.what for event in self.events) or "nothing"
        return NotSeen(f"{self._owner}: no {what!r} (number {nth}) {when}; saw {seen}")

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class Call(Log):
    """One SIP call as its caller or its agent sees it."""

    def __init__(
        self, owner: str, call_id: str, tell: Callable[[str, str], None], report: Callable[[CallEvent], None]
    ) -> None:
        super().__init__(owner)
        self._report = report
        self.id = call_id
        self.audio: Stream | None = None
        self._tell = tell

    async def press(self, digits: str, press_ms: int = PRESS_MS, gap_ms: int = GAP_MS) -> None:
        """Press keys, once the call is up; the event `pressed` comes when the last digit is sent."""
        await self.wait_for("established")
        await self._audio().press(digits, press_ms, gap_ms)
        event = CallEvent(time.time(), "pressed", self.id, {"digits": digits})
        self.add(event)
        self._report(event)

    async def talk(self, ms: int | None = None) -> None:
        """Send this party's tone for `ms` milliseconds, or until the call ends."""
        await self.wait_for("established")
        await self._audio().talk(ms)

    def hang_up(self) -> None:
        """Hang up now: with CANCEL for a caller who is not answered yet, else with BYE. An agent must have answered."""
        self._tell(self.id, HANGUP_METHOD)

    def heard_ms(self, hz: int) -> int:
        """Milliseconds of a tone heard in the last ten seconds of received audio; 0 before it is up."""
        return self.audio.heard_ms(hz) if self.audio else 0

    async def perform(self, plan: Sequence[Callable[[Call], Awaitable[None]]]) -> None:
        """Do the steps of a plan, one after the other."""
        for step in plan:
            await step(self)

    def _audio(self) -> Stream:
        assert self.audio, f"call {self.id} has no audio before it is established"
        return self.audio
