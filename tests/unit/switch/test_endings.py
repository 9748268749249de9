"""What follows when a call has ended."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ari_app.switch.endings import Endings
from tests.samples import make_call


async def test_a_call_that_is_broken_off_is_not_saved_but_left_to_the_next_switch(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task: asyncio.Task[Any] = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await asyncio.wait([task])
    nothing = cast(Any, None)  # a writer that were given the call would raise
    Endings(nothing, nothing, nothing, nothing, nothing).ended(
        cast(Any, SimpleNamespace(record=make_call())), task
    )
    assert "call is left to the next switch" in caplog.text
