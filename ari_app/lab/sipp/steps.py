"""The steps of a plan: what a party does, in order, once the call is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ari_app.lab.sipp.call import Call

Step = Callable[[Call], Awaitable[None]]


def wait_ms(ms: int) -> Step:
    """Send nothing for this time."""
    return lambda call: asyncio.sleep(ms / 1000)


def press(digits: str) -> Step:
    """Press keys, each for 100 ms."""
    return lambda call: call.press(digits)


def dial(digits: str, on_ms: int, off_ms: int) -> Step:
    """Press keys as a machine does: each for `on_ms`, `off_ms` apart; a press is whole packets of 20 ms."""
    return lambda call: call.press(digits, on_ms, off_ms)


def talk_ms(ms: int) -> Step:
    """Talk for this time."""
    return lambda call: call.talk(ms)


def talk() -> Step:
    """Talk until the other side hangs up."""
    return lambda call: call.talk()


async def hang_up(call: Call) -> None:
    """Hang up. It is a step itself, so a plan has no parentheses: `[talk_ms(5000), hang_up]`."""
    call.hang_up()
