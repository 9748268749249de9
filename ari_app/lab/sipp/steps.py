"""The steps of a plan: what a person does once the call is up, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ari_app.lab.sipp.call import Call

Step = Callable[[Call], Awaitable[None]]


def wait_ms(ms: int) -> Step:
    """Say nothing for a while."""
    return lambda call: asyncio.sleep(ms / 1000)


def press(digits: str) -> Step:
    """Press keys, each for 100 ms."""
    return lambda call: call.press(digits)


def talk_ms(ms: int) -> Step:
    """Talk for a while."""
    return lambda call: call.talk(ms)


def talk() -> Step:
    """Talk until the other side hangs up."""
    return lambda call: call.talk()


async def hang_up(call: Call) -> None:
    """Hang up. It is a step itself, so a plan has no parentheses: `[talk_ms(5000), hang_up]`."""
    call.hang_up()
