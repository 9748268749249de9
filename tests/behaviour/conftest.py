"""Calls as scripts: an exchange over an Asterisk in memory, in time that nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ari_app.ari.testing import JumpingLoop, moved_clocks
from ari_app.domain.calls.timeline import EventName
from tests.behaviour.exchange import MONDAY_NOON_MS, Exchange


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"jumping": JumpingLoop}


@pytest.fixture
async def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    """An exchange that serves nothing yet. At the end nothing is left of any call, in Asterisk or the switch, and each
    event of a timeline has a name that readers know.
    """
    monkeypatch.setattr(ThreadPoolExecutor, "submit", _at_once)
    monkeypatch.setattr("ari_app.store.calls.journal.GATHER_S", 0.001)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    with moved_clocks(loop, MONDAY_NOON_MS):
        exchange = Exchange(tmp_path)
        yield exchange
        await exchange.close()
        assert exchange.named <= set(EventName)
        # What a switch that died was about ends here: after this nothing jumps over its waits.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)


def _at_once(_pool: object, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
    """Does what a thread would do, now: a thread's time is not the loop's."""
    done: Future[Any] = Future()
    try:
        done.set_result(work(*args, **options))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the future has it
        done.set_exception(error)
    return done
