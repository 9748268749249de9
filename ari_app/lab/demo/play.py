"""Places one scenario's call over SIP, with real audio, and waits until it is over and saved."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from sqlalchemy import Engine

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.marketplace import Marketplace
from ari_app.lab.demo.errors import CannotPlay
from ari_app.lab.demo.scenarios import Leaves, Scenario
from ari_app.lab.sipp import Agent, Call, Caller
from ari_app.store.calls import calls

SAVED_S = 10.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """The call as the phones saw it.

    `causes`: the Q.850 cause in the CANCEL or BYE that each phone got. `heard_ms`: how long each party (a phone's name
    or "caller") heard the tone of the other side.
    """

    causes: Mapping[str, int | None] = field(default_factory=dict)
    heard_ms: Mapping[str, int] = field(default_factory=dict)


def check_ports(marketplace: Marketplace) -> None:
    """Raises CannotPlay when another program uses the address of one of the demo's phones."""
    for destination in marketplace.destinations.values():
        if destination.dial.uri is None:
            continue
        port = _port(destination.dial.uri)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise CannotPlay(
                    f"the demo's phone {destination.dial.uri} cannot have its UDP port, which another "
                    f"program holds; end that (`ss -ulnp sport = :{port}` names it)"
                ) from None


async def place(scenario: Scenario, marketplace: Marketplace, sip: str) -> Seen:
    """Places the call, lets all parties do what the scenario says, and waits until all have hung up.

    Raises NotSeen, and SippFailed.
    """
    async with AsyncExitStack() as parties:
        phones = {
            name: await parties.enter_async_context(Agent(name, behaviour, _port_of(name, marketplace)))
            for name, behaviour in scenario.phones.items()
        }
        caller = Caller(scenario.did, scenario.ani, scenario.caller, to=sip)
        await parties.enter_async_context(caller)
        if scenario.leaves is not None:
            await _leave(scenario.leaves, phones, caller)
        await caller.wait_for("ended", timeout_s=30)
        for phone in phones.values():
            for call in phone.calls.values():
                await call.wait_for("ended")
        return _seen(phones, caller)


async def saved(engine: Engine, scenario: Scenario, known: set[str]) -> CallRecord | None:
    """The record of the scenario's call: a record of its caller that is not in `known`. Waits SAVED_S for it."""
    until = time.monotonic() + SAVED_S
    while time.monotonic() < until:
        for record in calls.latest(engine, ani=scenario.ani, did=scenario.did):
            if record.id not in known:
                return record
        await asyncio.sleep(_POLL_S)  # the switch is another process: only the database shows its calls
    return None


async def _leave(leaves: Leaves, phones: Mapping[str, Agent], caller: Caller) -> None:
    phone = phones[leaves.phone]
    await phone.wait_for("invited", timeout_s=15)
    await phone.call.wait_for(leaves.event, timeout_s=15)
    await asyncio.sleep(leaves.after_ms / 1000)
    await caller.hang_up()


def _seen(phones: Mapping[str, Agent], caller: Caller) -> Seen:
    called = {name: phone.call for name, phone in phones.items() if phone.calls}
    heard = {name: call.heard_ms(caller.tone_hz) for name, call in called.items()}
    # Every phone sends the same tone, as a caller is bridged to one of them at most.
    tones = {phone.tone_hz for phone in phones.values()}
    heard["caller"] = max((caller.call.heard_ms(hz) for hz in tones), default=0)
    return Seen({name: _cause(call) for name, call in called.items()}, heard)


def _cause(call: Call) -> int | None:
    ends = [event for what in ("cancelled", "bye") for event in call.of(what)]
    return ends[-1].cause if ends else None


def _port_of(destination: str, marketplace: Marketplace) -> int:
    uri = marketplace.destinations[destination].dial.uri
    assert uri is not None, f"{destination} is not dialled by a SIP address"
    return _port(uri)


def _port(uri: str) -> int:
    return int(uri.rpartition(":")[2])
