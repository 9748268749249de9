"""The AGI server: the program that answers the dialplan."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
import time
from collections.abc import Mapping
from random import Random

import uvloop

from agi.conversation import Request
from agi.outcomes import Outcomes
from agi.server import HOST, Limits, Server
from agi.services import SERVICES, lookup, record, route
from ari_app.ari.client import requests_only
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.media.asterisk import ari_settings
from ari_app.serving.caps import Caps
from ari_app.serving.chores import Chores
from ari_app.serving.market import Market
from ari_app.serving.running import only, running_pid
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls.journal import has_calls
from ari_app.store.db.atomic_files import clear_unfinished
from ari_app.store.db.schema import opened
from ari_app.watch.probes import keep_probes_true
from ari_app.wiring.process import SWITCH_INTERVAL_S, run_forever

log = logging.getLogger(__name__)


class CannotListen(Exception):
    """The AGI server cannot listen on its port; the message says which port, and why."""


def run(settings: Settings) -> None:
    """Serves FastAGI on loopback until SIGTERM or SIGINT.

    Raises CannotListen, StoreError, and what `only` raises when another AGI server runs.
    """
    with only(settings, "agi"):
        clear_unfinished(*(file.with_suffix(".*") for file in settings.fallback_files))
        engine, tables = opened(settings.database_url, is_serving=True), geography.load(settings.home)
        chores = Chores()
        market = Market(engine, tables, chores)
        market.load()
        if market.snapshot is None:
            log.info("no marketplace is applied yet: nothing is answered until one is")
        sys.setswitchinterval(SWITCH_INTERVAL_S)  # so that no reservation waits for a thread that saves calls
        gc.freeze()  # marketplace and geography stay: the garbage collector need not look at them
        outcomes = Outcomes(
            engine,
            tables,
            settings.fallback_files,
            lambda: _channels(settings),
            chores,
            settings.spool,
            lambda: running_pid(settings) is None and has_calls(settings.journal),
        )
        uvloop.run(_run(settings, market, Caps(engine), outcomes))


async def _run(settings: Settings, market: Market, caps: Caps, outcomes: Outcomes) -> None:
    """Serves, and keeps the answer to carriers' OPTIONS probes true. Raises CannotListen."""
    probes = asyncio.create_task(run_forever(lambda: keep_probes_true(settings)))
    try:
        await _serve(market, caps, outcomes, settings.agi_port)
    finally:
        probes.cancel()
        await asyncio.wait([probes])


async def _channels(settings: Settings) -> set[str]:
    """The ids of all channels in Asterisk now. Raises AriError."""
    async with requests_only(ari_settings(settings)) as client:
        return {channel["id"] for channel in await client.channels.list()}


async def _serve(market: Market, caps: Caps, outcomes: Outcomes, port: int) -> None:
    """Serves until a signal arrives. Raises CannotListen."""
    random, stopping = Random(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    async def answer(request: Request) -> Mapping[str, str] | None:
        match request.service, market.snapshot:
            case "record", _:
                return record(outcomes.tell, request)
            case "lookup", Snapshot() as snapshot:
                return lookup(snapshot, request, _now_ms())
            case "route", Snapshot() as snapshot:
                return await route(snapshot, request, _now_ms(), random, caps.reserve, outcomes.pin)
        log.warning("no answer to %.40r: no such service, or no marketplace", request.service)
        return None

    try:
        async with Server(answer, Limits()).listening(port):
            log.info("serving agi://%s:%s, services %s", HOST, port, ", ".join(SERVICES))
            await _until_stopped(stopping, market, outcomes)
    except OSError as error:
        raise CannotListen(f"cannot serve on {HOST}:{port} ({error.strerror})") from error


async def _until_stopped(stopping: asyncio.Event, market: Market, outcomes: Outcomes) -> None:
    """Returns when told to stop; raises the error that ends the reloading of the marketplace."""
    waits = [
        asyncio.create_task(stopping.wait()),
        asyncio.create_task(market.keep_up_to_date()),
        asyncio.create_task(outcomes.keep_reading()),
    ]
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
