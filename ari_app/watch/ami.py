"""AMI by panoramisk: a connection for actions and events, and the state of an endpoint."""

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

# panoramisk's log lines are of no use to operators; its failures become AmiError.
_quiet = logging.getLogger("panoramisk")
_quiet.setLevel(logging.CRITICAL)

Result = TypeVar("Result")


class AmiError(Exception):
    """AMI cannot be used; the message says where and why."""


class Session:
    """A connection that is logged in. It is made by `session`."""

    def __init__(self, manager: Manager, where: str) -> None:
        self._manager = manager
        self._where = where
        self._lost = asyncio.Event()
        manager.on_disconnect = lambda *_: self._lost.set()

    async def ask(self, action: str, **fields: str) -> list[Any]:
        """Sends an action; returns the response, then the events that belong to it. Raises AmiError."""
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
    """A connection that lasts as long as the block. Raises AmiError, SettingsError.

    `events` are the classes of event that Asterisk sends: `off`, or for example `call,system`.
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
    manager.connect = _nothing  # panoramisk would reconnect for ever, even after it was closed
    try:
        await _bounded(connecting, where)
        # panoramisk sends the login from a callback of the connection, which has run before this.
        login = await _bounded(manager.authenticated_future, where)
        if not login.success:
            raise AmiError(f"AMI on {where} refuses the user {USER}; see manager.conf and secrets/ami")
        yield Session(manager, where)
    finally:
        manager.close()


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A PJSIP endpoint: the addresses that identify it, and `uri status` of each contact."""

    matches: tuple[str, ...]
    contacts: tuple[str, ...]


def endpoint_state(settings: Settings, endpoint: str) -> EndpointState | None:
    """The present state of an endpoint; None when no endpoint has this name. Raises AmiError, SettingsError."""

    async def look() -> EndpointState | None:
        async with session(settings) as asterisk:
            return await ask_endpoint(asterisk, endpoint)

    return asyncio.run(look())


async def ask_endpoint(asterisk: Session, endpoint: str) -> EndpointState | None:
    """The present state of an endpoint; None when no endpoint has this name. Raises AmiError."""
    messages = await asterisk.ask("PJSIPShowEndpoint", Endpoint=endpoint)
    if not messages[0].success:
        return None
    return EndpointState(
        matches=tuple(m["Match"].removesuffix(_ONE_HOST) for m in messages if m.event == "IdentifyDetail"),
        contacts=tuple(f"{m['URI']} {m['Status']}" for m in messages if m.event == "ContactStatusDetail"),
    )


def phones_in_clear(settings: Settings) -> list[str]:
    """The phones whose audio is encrypted by keys that can be read: they have registered without TLS.

    Raises AmiError, SettingsError.
    """

    async def look() -> list[str]:
        async with session(settings) as asterisk:
            contacts = [m for m in await asterisk.ask("PJSIPShowContacts") if m.event == "ContactList"]
            in_clear = {m["Endpoint"] for m in contacts if "transport=tls" not in m["Uri"].lower()}
            return [name for name in sorted(in_clear) if await _encrypts(asterisk, name)]

    return asyncio.run(look())


async def _encrypts(asterisk: Session, endpoint: str) -> bool:
    """Whether an endpoint's audio is encrypted (SRTP, keys by SDES)."""
    messages = await asterisk.ask("PJSIPShowEndpoint", Endpoint=endpoint)
    return any(m["MediaEncryption"] == "sdes" for m in messages if m.event == "EndpointDetail")


def _nothing() -> None:
    """Does nothing."""


async def _bounded(answer: Awaitable[Result], where: str) -> Result:
    try:
        # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the answer.
        async with asyncio.timeout(TIMEOUT_S):
            return await answer
    except TimeoutError as error:
        raise AmiError(f"AMI on {where} does not answer within {TIMEOUT_S:g} s") from error
    except OSError as error:
        raise AmiError(f"AMI does not answer on {where} ({error.strerror or error})") from error
