"""Questions to Asterisk outside of any call: over ARI, as nobody's application, so that a running
switch keeps its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from ari_app.ari.settings import AriSettings
from ari_app.settings import Settings

if TYPE_CHECKING:
    from ari_app.ari.client import Client

USER = "callrace"

Answer = TypeVar("Answer")


def ari_settings(settings: Settings) -> AriSettings:
    """How to reach Asterisk's ARI. Raises SettingsError when its password cannot be read."""
    return AriSettings(settings.ari_host, settings.ari_port, USER, settings.secret("ari"))


def ask(settings: Settings, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
    """Asterisk's answer to a question, such as `lambda client: client.sounds.list()`.

    Raises AriError, and SettingsError.
    """
    from ari_app.ari.client import requests_only  # aiohttp takes a fifth of a second to load

    async def put() -> Answer:
        async with requests_only(ari_settings(settings)) as client:
            return await question(client)

    return asyncio.run(put())
