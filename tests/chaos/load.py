"""The calls, by SIPp: who calls, who answers, and how each call went for them.

Agents ring for a while and answer; the caller hangs up when they have talked for as long as this call is to last.
Each call has a caller's number of its own, by which what its caller saw, what its agents saw and its record are
put together. But callers of the campaign that pays for no repeat call twice, the second time when the first is over.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random

from ari_app.lab.sipp.agents import Agent, answers_silently
from ari_app.lab.sipp.call import CallEvent
from ari_app.lab.sipp.callers import Callers
from ari_app.lab.sipp.party import Party
from ari_app.lab.sipp.process import SippFailed
from tests.chaos.market import CROWD_DID, REPEAT_DID

# The first agent to answer wins; the others are cancelled.
RINGS_MS = {"agent-1": 300, "agent-2": 500, "agent-3": 700}
# A conversation is much shorter than what is charged for, or much longer: what a fault hides of it changes nothing.
SHORT_S = 0.7
LONG_S = (5.0, 9.0)
EARLY_S = 0.5
PATIENCE_S = 30.0
LAST_S = 45.0  # by then the last call is over, whatever becomes of it
CROWD_RATE = 20
CROWD_PATIENCE_S = 240.0
CALL_AGAIN_AFTER = 60  # calls to the number, one a second: by then the first call is over

_NUMBER = re.compile(r"sip:(\+\d+)@")


@dataclass(slots=True)
class Talk:
    """One agent on a call, from its ACK; `until` is when the agent was hung up, None when that never came."""

    agent: str
    since: float
    until: float | None = None


@dataclass(slots=True)
class Seen:
    """What SIPp saw of one call. Times are seconds since the epoch.

    `left_at` is when the caller hung up, or was hung up. `status` is the refusal's. `taken_at` are the agents'
    answers: of one whose ACK SIPp missed there is no talk, though they may talk.
    """

    ani: str
    did: str
    called_at: float
    talk_s: float
    answered_at: float | None = None
    status: int | None = None
    left_at: float | None = None
    hang_up: Callable[[], None] = lambda: None
    talks: list[Talk] = field(default_factory=list)
    taken_at: list[float] = field(default_factory=list)

    def cut_short_at(self, deaths: Iterable[float]) -> float | None:
        """When the last conversation ended, if none lasted for as long as its caller wanted; else None.

        `deaths`: when Asterisk was killed; it takes every conversation with it, and tells nobody.
        """
        ends = [self.end_of(talk, deaths) for talk in self.talks]
        lasted = [end - talk.since for end, talk in zip(ends, self.talks, strict=True)]
        return max(ends) if ends and max(lasted) < self.talk_s - EARLY_S else None

    def end_of(self, talk: Talk, deaths: Iterable[float]) -> float:
        """When a conversation ended for who heard it first; its beginning, when nobody heard of it."""
        ends = [at for at in (talk.until, self.left_at, *deaths) if at is not None and at >= talk.since]
        return min(ends, default=talk.since)


class Load:
    """All calls in the order in which they began, and each caller's last one by the number."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.every: list[Seen] = []
        self.calls: dict[str, Seen] = {}
        self._early: dict[
            str, list[tuple[Party, CallEvent]]
        ] = {}  # of callers who have not told that they call
        self._loop = asyncio.get_running_loop()

    # What callers see

    def called(self, party: Party, event: CallEvent) -> None:
        """A caller's event."""
        if event.what == "calling":
            self._begin(party, event)
            return
        seen = self.calls[_number(party.calls[event.call_id].of("calling")[0].detail["from"])]
        match event.what:
            case "answered":
                seen.answered_at = seen.answered_at or event.at
            case "refused":
                seen.status = int(event.detail["status"])
                seen.left_at = seen.left_at or event.at
            case "bye" | "hung_up":
                seen.left_at = seen.left_at or event.at

    def _begin(self, party: Party, event: CallEvent) -> None:
        ani = _number(event.detail["from"])
        talk_s = SHORT_S if self._random.random() < 0.5 else self._random.uniform(*LONG_S)
        patience_s = PATIENCE_S
        if event.detail["to"] == CROWD_DID:
            talk_s = patience_s = CROWD_PATIENCE_S
        seen = self.calls[ani] = Seen(ani, event.detail["to"], event.at, talk_s)
        self.every.append(seen)
        seen.hang_up = party.calls[event.call_id].hang_up
        for agent, told in self._early.pop(ani, ()):
            self.rung(agent, told)
        self._loop.call_later(patience_s, self._leave, seen)

    def _leave(self, seen: Seen) -> None:
        if seen.left_at is None:
            seen.hang_up()

    def crowd(self) -> list[Seen]:
        """The callers who talk until they are told to leave, and have not left."""
        return [seen for seen in self.calls.values() if seen.did == CROWD_DID and seen.left_at is None]

    async def dismiss(self) -> None:
        """Has them leave, some at a time: their conversations last no longer than now."""
        for n, seen in enumerate(self.crowd()):
            seen.talk_s = min((time.time() - talk.since for talk in seen.talks), default=0.0)
            seen.hang_up()
            await asyncio.sleep(0.5 if n % CROWD_RATE == 0 else 0)
        end = time.monotonic() + LAST_S
        while self.crowd() and time.monotonic() < end:
            await asyncio.sleep(0.1)

    # What agents see

    def rung(self, party: Party, event: CallEvent) -> None:
        """An agent's event. Each SIPp tells by a pipe of its own, and a busy machine reads them in any order."""
        ani = _number(party.calls[event.call_id].of("invited")[0].detail["from"])
        seen = self.calls.get(ani)
        if seen is None:
            self._early.setdefault(ani, []).append((party, event))
            return
        if event.what == "answered":
            seen.taken_at.append(event.at)
        elif event.what == "established":
            talk = Talk(party.name, event.at)
            seen.talks.append(talk)
            self._loop.call_later(seen.talk_s, self._end, seen, talk)
        elif event.what == "bye":
            for talk in seen.talks:
                if talk.agent == party.name and talk.until is None:
                    talk.until = event.at

    def _end(self, seen: Seen, talk: Talk) -> None:
        if talk.until is None:
            self._leave(seen)


class _Phone(Agent):
    def __init__(self, load: Load, name: str, ring_ms: int) -> None:
        super().__init__(name, answers_silently(ring_ms))
        self._load = load

    def add(self, event: CallEvent) -> None:
        super().add(event)
        self._load.rung(self, event)


class _Crowd(Callers):
    def __init__(self, load: Load, did: str, anis: list[str], to: str, rate: int) -> None:
        super().__init__(did, anis, to=to, rate=rate)
        self._load = load

    def add(self, event: CallEvent) -> None:
        super().add(event)
        self._load.called(self, event)

    def call_no_more(self) -> None:
        """SIPp begins no new call, and ends after its last."""
        assert self.pid is not None
        os.kill(self.pid, signal.SIGUSR1)


@asynccontextmanager
async def phones(load: Load) -> AsyncIterator[dict[str, Agent]]:
    """The agents, by destination."""
    async with AsyncExitStack() as stack:
        agents: dict[str, Agent] = {name: _Phone(load, name, ring) for name, ring in RINGS_MS.items()}
        for agent in agents.values():
            await _enter(stack, agent)
        yield agents


@asynccontextmanager
async def calling(load: Load, rates: Mapping[str, int], to: str, longest_s: float) -> AsyncIterator[None]:
    """Calls to each number, so many a second, until the block ends; then the last of them end."""
    async with AsyncExitStack() as stack:
        crowds = []
        for n, (did, rate) in enumerate(rates.items()):
            anis = [f"+1212{2 + n}{i:06d}" for i in range(int(rate * longest_s))]
            if did == REPEAT_DID:
                anis = list(_twice(anis))
            crowds.append(_Crowd(load, did, anis, to, rate))
            await _enter(stack, crowds[-1])
        yield
        for crowd in crowds:
            crowd.call_no_more()
        end = asyncio.get_running_loop().time() + LAST_S
        while asyncio.get_running_loop().time() < end and any(
            seen.left_at is None for seen in load.calls.values()
        ):
            await asyncio.sleep(0.2)


def _twice(anis: Sequence[str]) -> Iterator[str]:
    """So many callers, and then the same again, and so on."""
    for n in range(0, len(anis), CALL_AGAIN_AFTER):
        yield from anis[n : n + CALL_AGAIN_AFTER] * 2


@asynccontextmanager
async def crowd(load: Load, to: str, size: int) -> AsyncIterator[None]:
    """So many conversations at once beside the others, under way while the block lasts. Raises TimeoutError."""
    async with AsyncExitStack() as stack:
        number = sum(seen.did == CROWD_DID for seen in load.every)
        anis = [f"+13129{number + n:06d}" for n in range(2 * size)]  # a busy machine turns some away
        callers = _Crowd(load, CROWD_DID, anis, to, CROWD_RATE)
        await _enter(stack, callers)
        try:
            async with asyncio.timeout(2 * size / CROWD_RATE):
                while sum(bool(seen.talks) for seen in load.crowd()) < size:
                    await asyncio.sleep(0.1)
            callers.call_no_more()
            yield
        finally:
            await load.dismiss()


async def _enter(stack: AsyncExitStack, party: Party) -> None:
    await party.start()

    async def stop() -> None:
        with suppress(SippFailed):  # messages that never came are what this is about
            await party.stop()

    stack.push_async_callback(stop)


def _number(address: str) -> str:
    found = _NUMBER.search(address)
    return found[1] if found else address
