"""AMI by panoramisk: how the trunk is identified, and whether its contacts answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

from panoramisk import Manager

from ari_app.settings import Settings

TIMEOUT_S = 5.0
USER = "callrace"
_ONE_HOST = "/255.255.255.255"

_quiet = logging.getLogger(f"{__name__}.panoramisk")
_quiet.setLevel(logging.CRITICAL)

Result = TypeVar("Result")


class AmiError(Exception):
    """AMI cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class EndpointState:
    """A PJSIP endpoint: the addresses it is identified by, and `uri status` of each contact."""

    matches: tuple[str, ...]
    contacts: tuple[str, ...]


def endpoint_state(settings: Settings, endpoint: str) -> EndpointState | None:
    """How an endpoint is now; None when there is none of that name. Raises AmiError, SettingsError."""
    return asyncio.run(_endpoint_state(settings, settings.secret("ami"), endpoint))


async def _endpoint_state(settings: Settings, password: str, endpoint: str) -> EndpointState | None:
    where = f"{settings.ari_host}:{settings.ami_port}"
    manager = Manager(
        loop=asyncio.get_running_loop(),
        host=settings.ari_host,
        port=settings.ami_port,
        username=USER,
        secret=password,
        events="off",
        log=_quiet,
    )
    connecting = manager.connect()
    try:
        await _bounded(connecting, where)
        # panoramisk sends the login from a callback of the connection, which came before us.
        login = await _bounded(manager.authenticated_future, where)
        if not login.success:
            raise AmiError(f"AMI on {where} refuses the user {USER}; see manager.conf and secrets/ami")
        action = {"Action": "PJSIPShowEndpoint", "Endpoint": endpoint}
        answer = await _bounded(manager.send_action(action), where)
    finally:
        manager.close()
    messages: list[Any] = answer if isinstance(answer, list) else [answer]
    if not messages[0].success:
        return None
    return EndpointState(
        matches=tuple(m["Match"].removesuffix(_ONE_HOST) for m in messages if m.event == "IdentifyDetail"),
        contacts=tuple(f"{m['URI']} {m['Status']}" for m in messages if m.event == "ContactStatusDetail"),
    )


async def _bounded(answer: Awaitable[Result], where: str) -> Result:
    try:
        return await asyncio.wait_for(answer, TIMEOUT_S)
    except TimeoutError as error:
        raise AmiError(f"AMI on {where} does not answer within {TIMEOUT_S:g} s") from error
    except OSError as error:
        raise AmiError(f"AMI does not answer on {where} ({error.strerror or error})") from error
