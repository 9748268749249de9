"""An application that no channel enters, connected for as long as something is true: others look whether it is.

Asterisk has the dialplan context `stasis-NAME`, in which every extension is, for as long as the application NAME is
connected (its res/stasis/app.c). So whatever Asterisk looks up there is found until the condition ends, or the process
does, however that comes.
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
    """Has `app` connected while `is_so()`, looking every LOOK_EVERY_S. Runs for ever."""
    waits = delays()
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth(settings.username, settings.password)) as http:
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
    """What comes within LOOK_EVERY_S. It is read at all for aiohttp to see that a connection has ended."""
    try:
        async with asyncio.timeout(LOOK_EVERY_S):
            message = await socket.receive()
    except TimeoutError:
        return None
    return str(message.data) if message.type is aiohttp.WSMsgType.TEXT else None


async def _turn_away(http: aiohttp.ClientSession, settings: AriSettings, text: str | None) -> None:
    """Hangs up what enters all the same, as a malformed INVITE that Asterisk takes for what is looked up."""
    event = orjson.loads(text) if text is not None else {}
    if event.get("type") == "StasisStart":
        log.warning("channel %s hung up: nothing can be called here", event["channel"]["name"])
        reason = {"reason": "congestion"}
        async with http.delete(f"{settings.url}/channels/{event['channel']['id']}", params=reason):
            return
