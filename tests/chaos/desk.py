"""The desk, at work while calls run: a number goes from one campaign to the other, prices change, agents have lunch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.chaos.market import DEPOSIT, DESK_DID, METERED_ADVERTISER
from tests.live.process import SwitchProcess

Step = tuple[str, ...]

STOCK = f"did,kind,region,trunk\n{DESK_DID},tollfree,,main\n"


def _assigned(campaign: str) -> Step:
    return ("numbers", "assign", "--did", DESK_DID, "--campaign", campaign, "--publisher", "homefix")


TO_B = (("numbers", "release", DESK_DID), _assigned("desk-b"))
TO_A = (("numbers", "release", DESK_DID), _assigned("desk-a"))
A_DAY = (
    *TO_B,
    ("campaigns", "set", "desk-b", "price=22.00"),
    ("agents", "pause", "agent-3", "--reason", "lunch"),
    ("campaigns", "pause", "desk-a"),
    ("agents", "resume", "agent-3"),
    ("campaigns", "start", "desk-a"),
    *TO_A,
    ("campaigns", "set", "desk-b", "price=21.00"),
)
"""Ends as it began."""


class DeskError(Exception):
    """A command was refused that should not have been; the message has what it said."""


async def open_shop(switch: SwitchProcess) -> None:
    """What there is to work with: a number in stock, given to the first campaign; money for metered calls."""
    stock = switch.settings.home / "stock.csv"
    stock.write_text(STOCK)
    deposit = ("ledger", "deposit", METERED_ADVERTISER, DEPOSIT, "--key", "first")
    await do(switch, (("numbers", "import", str(stock)), _assigned("desk-a"), deposit))


@asynccontextmanager
async def at_work(switch: SwitchProcess) -> AsyncIterator[None]:
    """One day after the other while the block lasts; the last one is finished. Raises DeskError."""
    is_over = asyncio.Event()

    async def work() -> None:
        while not is_over.is_set():
            await do(switch, A_DAY)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        is_over.set()
        await working


async def do(switch: SwitchProcess, steps: Sequence[Step]) -> None:
    """Types these commands, one after the other. Raises DeskError."""
    for words in steps:
        ended = await switch.callrace(*words)
        if ended.returncode:
            raise DeskError(f"callrace {' '.join(words)}: {(ended.stdout + ended.stderr).strip()}")
