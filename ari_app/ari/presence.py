"""A Stasis application that is connected only while a condition is true, so that Asterisk can look it up.

While an application NAME is connected, Asterisk has the dialplan context `stasis-NAME` with every extension
(res/stasis/app.c). So a look-up there succeeds until the condition ends, or until the process ends in any way. No
channel is meant to enter the application.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import aiohttp
import orjson

from ari_app.ari.backoff import delays
from ari_app.ari.errors import AriError
from ari_app.ari.settings import AriSettings
from ari_app.ari.websocket import connect_websocket

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2


async def keep_present(settings: AriSettings, app: str, is_so: Callable[[], bool]) -> None:
    """Keeps `app` connected while `is_so()` is true, checked every LOOK_EVERY_S. Runs for ever."""
    waits = delays()
    login = {"Authorization": aiohttp.encode_basic_auth(settings.username, settings.password)}
    async with aiohttp.ClientSession(headers=login) as http:
        while True:
            if not is_so():
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            try:
                async with await connect_websocket(http, settings, app) as socket:
                    waits = delays()
                    while is_so() and not socket.closed:
                        await _turn_away(http, settings, await _heard(socket))
            except AriError as error:
                log.warning("%s: not connected: %s", app, error)
                await asyncio.sleep(next(waits))


async def _heard(socket: aiohttp.ClientWebSocketResponse) -> str | None:
    """A message that comes within LOOK_EVERY_S, or None. Only by reading does aiohttp notice a closed connection."""
    try:
        async with asyncio.timeout(LOOK_EVERY_S):
            message = await socket.receive()
    except TimeoutError:
        return None
    return str(message.data) if message.type is aiohttp.WSMsgType.TEXT else None


async def _turn_away(http: aiohttp.ClientSession, settings: AriSettings, text: str | None) -> None:
    """Hangs up a channel that enters all the same: a malformed INVITE can match what is looked up."""
    event = orjson.loads(text) if text is not None else {}
    if event.get("type") == "StasisStart":
        log.warning("channel %s hung up: nothing can be called here", event["channel"]["name"])
        reason = {"reason": "congestion"}
        async with http.delete(f"{settings.url}/channels/{event['channel']['id']}", params=reason):
            return
