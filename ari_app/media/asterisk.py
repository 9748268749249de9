"""Questions to Asterisk outside of any call, over ARI.

They register no Stasis application, so a running switch keeps its own.
"""

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
    """Address, user and password of Asterisk's ARI. Raises SettingsError when the password cannot be read."""
    return AriSettings(settings.ari_host, settings.ari_port, USER, settings.secret("ari"))


def ask(settings: Settings, question: Callable[[Client], Awaitable[Answer]]) -> Answer:
    """Asks Asterisk a question, such as `lambda client: client.sounds.list()`, and returns the answer.

    Raises AriError, and SettingsError.
    """
    from ari_app.ari.client import requests_only  # aiohttp takes a fifth of a second to load

    async def put() -> Answer:
        async with requests_only(ari_settings(settings)) as client:
            return await question(client)

    return asyncio.run(put())
