"""AMI by panoramisk: a connection to ask on and to hear events by, and what is asked of an endpoint."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from panoramisk import Manager

from ari_app.settings import Settings

TIMEOUT_S = 5.0
USER = "callrace"
_ONE_HOST = "/255.255.255.255"

# panoramisk's own words are about its own doings; what we make of them is an AmiError.
_quiet = logging.getLogger("panoramisk")
_quiet.setLevel(logging.CRITICAL)

Result = TypeVar("Result")


class AmiError(Exception):
    """AMI cannot be used; the message says where and why."""


class Session:
    """A connection that is logged in. Made by `session`."""

    def __init__(self, manager: Manager, where: str) -> None:
        self._manager = manager
        self._where = where
        self._lost = asyncio.Event()
        manager.on_disconnect = lambda *_: self._lost.set()

    async def ask(self, action: str, **fields: str) -> list[Any]:
        """Asterisk's answer: the response, then the events that belong to it. Raises AmiError."""
        answer = await _bounded(self._manager.send_action({"Action": action, **fields}), self._where)
        return answer if isinstance(answer, list) else [answer]

    @property
    def is_lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost.is_set()

    def on(self, event: str, tell: Callable[[Any], None]) -> None:
        """Calls `tell` with every event of this name."""
        self._manager.register_event(event, lambda _, message: tell(message))

    async def wait(self, seconds: float) -> None:
        """Waits, while events come in. Raises AmiError as soon as the connection is lost."""
        try:
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        except TimeoutError:
            return
        raise AmiError(f"AMI on {self._where} has ended the connection")


@asynccontextmanager
async def session(settings: Settings, events: str = "off") -> AsyncIterator[Session]:
    """A connection for as long as the block lasts. Raises AmiError, SettingsError.

    `events` are the classes of event that are sent: `off`, or such as `call,system`.
    """
    where = f"{settings.ari_host}:{settings.ami_port}"
    manager = Manager(
        loop=asyncio.get_running_loop(),
        host=settings.ari_host,
        port=settings.ami_port,
        username=USER,
        secret=settings.secret("ami"),
        events=events,
        log=_quiet,
    )
    connecting = manager.connect()
    manager.connect = _nothing  # panoramisk would connect again for ever, also after it was closed
    try:
        await _bounded(connecting, where)
        # panoramisk sends the login from a callback of the connection, which came before us.
        login = await _bounded(manager.authenticated_future, where)
        if not login.success:
            raise AmiError(f"AMI on {where} refuses the user {USER}; see manager.conf and secrets/ami")
        yield Session(manager, where)
    finally:
        manager.close()


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A PJSIP endpoint: the addresses it is identified by, and `uri status` of each contact."""

    matches: tuple[str, ...]
    contacts: tuple[str, ...]


def endpoint_state(settings: Settings, endpoint: str) -> EndpointState | None:
    """How an endpoint is now; None when there is none of that name. Raises AmiError, SettingsError."""

    async def look() -> EndpointState | None:
        async with session(settings) as asterisk:
            return await ask_endpoint(asterisk, endpoint)

    return asyncio.run(look())


async def ask_endpoint(asterisk: Session, endpoint: str) -> EndpointState | None:
    """How an endpoint is now; None when there is none of that name. Raises AmiError."""
    messages = await asterisk.ask("PJSIPShowEndpoint", Endpoint=endpoint)
    if not messages[0].success:
        return None
    return EndpointState(
        matches=tuple(m["Match"].removesuffix(_ONE_HOST) for m in messages if m.event == "IdentifyDetail"),
        contacts=tuple(f"{m['URI']} {m['Status']}" for m in messages if m.event == "ContactStatusDetail"),
    )


def _nothing() -> None:
    """Does nothing."""


async def _bounded(answer: Awaitable[Result], where: str) -> Result:
    try:
        # Not wait_for: until Python 3.12 a cancellation that comes with the answer is lost in it.
        async with asyncio.timeout(TIMEOUT_S):
            return await answer
    except TimeoutError as error:
        raise AmiError(f"AMI on {where} does not answer within {TIMEOUT_S:g} s") from error
    except OSError as error:
        raise AmiError(f"AMI does not answer on {where} ({error.strerror or error})") from error
