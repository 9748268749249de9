"""A client of one Asterisk: requests by resource, events by inbox.

    async with connect(AriSettings(...), on_incoming=take_call) as client:
        await client.run()

and, in the task that `take_call` starts:

    inbox = client.inbox()
    client.watch(inbox, start.channel_id)
    await client.channels.answer(start.channel_id)
    await client.channels.play(inbox, "my-play-1", start.channel_id, "sound:hello-world")
    event = await inbox.get(timeout_s=30)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson

from ari_app.ari.attempts import Attempts
from ari_app.ari.backoff import delays
from ari_app.ari.errors import AriError, AriHttpError, AriOverload, AriReplaced, AriTooOld, AriUnavailable
from ari_app.ari.events import Disconnected, Reconnected, Replaced, StasisStart, now_ms, parse
from ari_app.ari.inbox import Inbox, Switchboard
from ari_app.ari.network import NetworkTransport
from ari_app.ari.remoteclock import RemoteClock
from ari_app.ari.resources.applications import Applications
from ari_app.ari.resources.asterisk import Asterisk
from ari_app.ari.resources.bridges import Bridges
from ari_app.ari.resources.channels import Channels
from ari_app.ari.resources.endpoints import Endpoints
from ari_app.ari.resources.events import Events
from ari_app.ari.resources.playbacks import Playbacks
from ari_app.ari.resources.sounds import Sounds
from ari_app.ari.settings import AriSettings
from ari_app.ari.transport import EventStream, Request, Response, Transport
from ari_app.ari.version import Version, require_version

log = logging.getLogger(__name__)

OnIncoming = Callable[[StasisStart], None]
OnReconnected = Callable[[], None]

# After these errors it is certain that no object was made.
REFUSALS = (AriHttpError, AriOverload, AriReplaced)


@asynccontextmanager
async def connect(
    settings: AriSettings,
    on_incoming: OnIncoming,
    transport: Transport | None = None,
    on_reconnected: OnReconnected = lambda: None,
) -> AsyncIterator[Client]:
    """Connects, and stays connected until the block ends; then all of its tasks and connections end.

    `on_incoming` is called with the StasisStart of every channel that no inbox watches: a new call, or one whose inbox
    was closed meanwhile (look at `args`). It must not wait: it starts a task. `on_reconnected` is called when events
    arrive again after a break; events during the break are lost. Raises AriUnavailable, Unauthorized or AriTooOld when
    the first attempt fails.
    """
    client = Client(settings, on_incoming, transport or NetworkTransport(settings), on_reconnected)
    try:
        client.start(await client.open())
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def requests_only(settings: AriSettings) -> AsyncIterator[Client]:
    """A client for questions while an instance runs: over HTTP, without events, and without taking it over."""
    client = Client(settings, lambda start: None, NetworkTransport(settings, is_http_only=True))
    try:
        await client.open_requests()
        yield client
    finally:
        await client.close()


class Client:
    """One Asterisk, used as one application. It is made by `connect`.

    It reconnects by itself after a lost connection. `replaced` is set, for ever, when another instance takes over the
    application. A connection that we gave up and Asterisk accepts late (`attempts`) does not count as one.
    """

    def __init__(
        self,
        settings: AriSettings,
        on_incoming: OnIncoming,
        transport: Transport,
        on_reconnected: OnReconnected = lambda: None,
    ) -> None:
        self._settings = settings
        self._on_incoming = on_incoming
        self._on_reconnected = on_reconnected
        self._transport = transport
        self._switchboard = Switchboard(settings.lanes, settings.inbox_limit)
        self._attempts = Attempts()
        self._clock = RemoteClock()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._server: asyncio.Task[None] | None = None
        self._is_connected = asyncio.Event()
        self.replaced = asyncio.Event()
        self.version: Version = (0, 0, 0)
        self._asterisk_started: str | None = None
        self.malformed_events = 0
        self.connections = 0  # how many times the event connection was made
        self.applications = Applications(self)
        self.asterisk = Asterisk(self)
        self.bridges = Bridges(self)
        self.channels = Channels(self)
        self.endpoints = Endpoints(self)
        self.events = Events(self)
        self.playbacks = Playbacks(self)
        self.sounds = Sounds(self)

    @property
    def app(self) -> str:
        """The name of the Stasis application."""
        return self._settings.app

    @property
    def connected(self) -> bool:
        """Whether events arrive, and requests can be made."""
        return self._is_connected.is_set()

    async def until_connected(self) -> None:
        """Waits until events arrive. Raises AriUnavailable when that takes longer than a request may take."""
        if self.connected:
            return
        connected = asyncio.create_task(self._is_connected.wait())
        ends: set[asyncio.Future[Any]] = {connected, self._over}
        try:
            await asyncio.wait(ends, timeout=self._settings.request_timeout_s, return_when="FIRST_COMPLETED")
        finally:
            connected.cancel()
        if not self.connected:
            raise AriUnavailable(f"{self.app} is not connected; is Asterisk running?")

    async def run(self) -> None:
        """Waits until this instance can no longer work, and raises the reason.

        The reason is AriReplaced when another instance took over, AriTooOld when Asterisk came back as an older
        version, or the error that `on_incoming` raised. Returns when the client is closed.
        """
        await asyncio.shield(self._over)

    # Events

    def inbox(self) -> Inbox:
        """A new inbox, for one call. Close it when the call is over."""
        return self._switchboard.open()

    def watch(self, inbox: Inbox, object_id: str) -> bool:
        """From now on, puts the events of a channel, bridge or playback into this inbox.

        Returns False when the inbox watches it already. Raises ValueError when another inbox watches it.
        """
        return self._switchboard.watch(inbox, object_id)

    def is_watched(self, object_id: str) -> bool:
        """Whether the events of a channel, bridge or playback go to an inbox."""
        return object_id in self._switchboard

    def watching(self) -> tuple[int, int]:
        """How many inboxes are open, and how many ids they watch: both 0 when no call is left."""
        return self._switchboard.inboxes, len(self._switchboard)

    async def announce(self, event: object, connection: int) -> None:
        """Puts an event of the client's owner into every open inbox, a few in each turn of the event loop.

        `connection` is the value of `connections` for which the event is true. When the connection is lost meanwhile,
        the other inboxes do not get it: so no inbox gets it after the next Disconnected.
        """
        await self._switchboard.announce_in_turns(
            event, lambda: self.connected and self.connections == connection
        )

    def waiting(self) -> int:
        """How many requests Asterisk has not answered yet. Many: Asterisk is overloaded."""
        return self._transport.waiting()

    # Requests: for the resources.

    async def request(
        self,
        method: str,
        uri: str,
        object_id: str = "",
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        """Sends a request on the lane of the object that it concerns, and waits for the answer. Raises AriError."""
        request = Request(method, uri, query, body)
        if self.replaced.is_set():
            raise AriReplaced(f"{request}: not sent, another instance took over {self.app}; stop this one")
        response = await self._transport.request(self._switchboard.lane_of(object_id), request)
        return response.checked()

    async def make(
        self,
        inbox: Inbox,
        object_id: str,
        uri: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        """Makes an object. It is watched first, as its events may come before the answer.

        When Asterisk refuses, it is not watched any more. When no answer comes it is still watched, as it may exist.
        """
        is_new = self.watch(inbox, object_id)
        try:
            return await self.request("POST", uri, object_id, query, body)
        except REFUSALS:
            if is_new:
                self._switchboard.unwatch(inbox, object_id)
            raise

    # The connection: for `connect` and `requests_only`.

    async def open_requests(self) -> None:
        """Returns when requests can be made. Raises AriUnavailable or Unauthorized."""
        await self._transport.open(self._on_replaced)

    async def open(self) -> EventStream:
        """Connects requests, then events. Raises AriError."""
        await self.open_requests()
        info = await self.asterisk.get_info()
        self.version = require_version(info)
        self._asterisk_started = info.get("status", {}).get("startup_time")
        async with AsyncExitStack() as undo:
            stream = await self._transport.events()
            undo.push_async_callback(stream.close)
            # Asterisk forgets the filter when it forgets the application, so it is set on every connection.
            await self.applications.filter(self._settings.events)
            undo.pop_all()
        self.connections += 1
        self._is_connected.set()
        return stream

    def start(self, stream: EventStream) -> None:
        """Reads events from now on, and reconnects when the connection ends."""
        self._server = asyncio.create_task(self._serve(stream), name=f"{self.app}-events")
        self._server.add_done_callback(self._served)

    async def close(self) -> None:
        """Ends every task and connection."""
        self._is_connected.clear()
        if self._server is not None:
            self._server.cancel()
            await asyncio.wait([self._server])
        await self._transport.close()
        self._finish(None)

    async def _serve(self, stream: EventStream) -> None:
        while True:
            await self._read(stream)
            self._is_connected.clear()
            await self._switchboard.announce_in_turns(Disconnected(stream.heard_at_ms))
            before = self._asterisk_started
            stream = await self._reopen()
            event = Reconnected(now_ms(), self._asterisk_started != before)
            await self._switchboard.announce_in_turns(event)
            self._on_reconnected()

    async def _reopen(self) -> EventStream:
        waits = delays()
        while True:
            await asyncio.sleep(next(waits))
            try:
                return await self.open()
            except (AriReplaced, AriTooOld):
                raise
            except AriError as error:
                self._attempts.failed()
                log.warning("%s: still not connected: %s", self.app, error)

    async def _read(self, stream: EventStream) -> None:
        """Reads events until the connection ends. It only parses and enqueues, as Asterisk cuts off a slow reader."""
        try:
            while True:
                self._take_in(await stream.receive())
        except AriUnavailable as error:
            log.warning("%s: %s; connecting again", self.app, error)
        finally:
            await stream.close()

    def _take_in(self, text: str) -> None:
        try:
            routed = parse(orjson.loads(text), self._clock.ours)
        except (KeyError, TypeError, ValueError) as error:
            self._drop(text, error)
            return
        if routed is None:
            return
        object_id, event = routed
        if self._switchboard.deliver(object_id, event):
            return
        if isinstance(event, StasisStart):
            self._on_incoming(event)
        elif isinstance(event, Replaced):
            self._attempts.replaced()
            self._on_replaced()

    def _drop(self, text: str, error: Exception) -> None:
        """Logs the 1st, 2nd, 4th, 8th, ... malformed event: enough to see, too few to flood."""
        self.malformed_events += 1
        if self.malformed_events & (self.malformed_events - 1) == 0:
            count = self.malformed_events
            log.warning("%s: malformed event no. %d dropped (%r): %.300s", self.app, count, error, text)

    def _on_replaced(self) -> None:
        if self.replaced.is_set():
            return
        self.replaced.set()
        self._is_connected.clear()
        self._switchboard.announce(Replaced(now_ms()))
        self._finish(AriReplaced(f"another instance took over {self.app}; run only one for each application"))
        if self._server is not None:
            self._server.cancel()

    def _served(self, server: asyncio.Task[None]) -> None:
        """The server task has ended: it was cancelled, or an error ended it."""
        error = None if server.cancelled() else server.exception()
        if error is not None:
            self._is_connected.clear()
            self._switchboard.announce(Disconnected(now_ms()))
            self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if self._over.done():
            return
        if error is None:
            self._over.set_result(None)
            return
        self._over.set_exception(error)
        self._over.exception()  # so that asyncio does not complain when nobody waits in run()
