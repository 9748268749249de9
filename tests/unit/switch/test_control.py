"""What the control socket has the switch do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.switch.control import control_socket


async def test_a_journal_is_renewed_by_the_switch_that_writes_it() -> None:
    renewed: list[bool] = []
    switch: Any = SimpleNamespace(renew_journal=lambda: renewed.append(True), status=lambda: {"calls": 0})
    with TemporaryDirectory(prefix="callrace-") as home:
        settings = Settings(home=Path(home), database_url="")
        async with control_socket(switch, settings.control_socket):
            await asyncio.to_thread(running.renew_journal, settings)
    assert renewed == [True]
