"""`callrace agi`: the program that answers the dialplan. The one place where its parts are wired."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Mapping
from random import Random

import click
import uvloop

from agi.conversation import Request
from agi.outcomes import Outcomes
from agi.server import HOST, Limits, Server
from agi.services import SERVICES, lookup, record, route
from ari_app.ari.client import requests_only
from ari_app.cli.common import SWITCH_INTERVAL_S, Refused, database, now_ms
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.logs import log_to_stderr
from ari_app.media.asterisk import ari_settings
from ari_app.serving.caps import Caps
from ari_app.serving.chores import Chores
from ari_app.serving.market import Market
from ari_app.serving.running import only, running_pid
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls.journal import has_calls
from ari_app.store.db.atomic_files import clear_unfinished

log = logging.getLogger(__name__)


@click.group()
def agi() -> None:
    """Answer the dialplan, also while no switch is connected."""


@agi.command()
def run() -> None:
    """Serve FastAGI on loopback until told to stop (SIGTERM, or Ctrl-C).

    \b
    In a dialplan (the port is CALLRACE_AGI_PORT), both numbers in E.164:
      AGI(agi://127.0.0.1:4573/lookup,${DID},${ANI})   whose the call is, where its caller is
      AGI(agi://127.0.0.1:4573/route,${DID},${ANI})    whom to ring: Dial(${CALLRACE_DIAL},30)

    Both take the carrier's STIR/SHAKEN attestation as a third argument. `route` takes ${CALLRACE_BEGAN} as a fourth,
    which dialplan/pieces.conf sets: without it nobody is rung where caps or funds are to be looked at.

    \b
    And what became of a call that was dialled so, for its record and its money:
    the fields as dialplan/callrace.conf writes them, all of them, empty where
    nothing is known:
      AGI(agi://127.0.0.1:4573/record,BEGAN_MS,UNIQUEID,DID,ANI,CALL,LEGS,DIALSTATUS,PEER,TALKED_MS,ENDED_MS)

    All set CALLRACE_RESULT: where it is empty there was no answer. Calls that the shipped dialplan served while
    no switch was connected are read from its file, and become records, as long as this runs.
    """
    settings = Settings.from_env()
    log_to_stderr(settings.log_format)
    with only(settings, "agi"):
        clear_unfinished(*(file.with_suffix(".*") for file in settings.fallback_files))
        engine, tables = database(is_serving=True), geography.load(settings.home)
        chores = Chores()
        market = Market(engine, tables, chores)
        market.load()
        if market.snapshot is None:
            log.info("no marketplace is applied yet: nothing is answered until one is")
        sys.setswitchinterval(SWITCH_INTERVAL_S)  # what is saved meanwhile keeps no reservation waiting
        gc.freeze()  # the marketplace and the geography stay: collections need not walk through them
        outcomes = Outcomes(
            engine,
            tables,
            settings.fallback_files,
            lambda: _channels(settings),
            chores,
            settings.spool,
            lambda: running_pid(settings) is None and has_calls(settings.journal),
        )
        uvloop.run(_serve(market, Caps(engine), outcomes, settings.agi_port))


async def _channels(settings: Settings) -> set[str]:
    """The ids of Asterisk's channels. Raises AriError."""
    async with requests_only(ari_settings(settings)) as client:
        return {channel["id"] for channel in await client.channels.list()}


async def _serve(market: Market, caps: Caps, outcomes: Outcomes, port: int) -> None:
    """Serves until a signal. Raises Refused when the port cannot be had."""
    random, stopping = Random(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    async def answer(request: Request) -> Mapping[str, str] | None:
        match request.service, market.snapshot:
            case "record", _:
                return record(outcomes.tell, request)
            case "lookup", Snapshot() as snapshot:
                return lookup(snapshot, request, now_ms())
            case "route", Snapshot() as snapshot:
                return await route(snapshot, request, now_ms(), random, caps.reserve, outcomes.pin)
        log.warning("no answer to %.40r: no such service, or no marketplace", request.service)
        return None

    try:
        async with Server(answer, Limits()).listening(port):
            log.info("serving agi://%s:%s, services %s", HOST, port, ", ".join(SERVICES))
            await _until_stopped(stopping, market, outcomes)
    except OSError as error:
        raise Refused(
            f"cannot serve on {HOST}:{port} ({error.strerror}); choose CALLRACE_AGI_PORT"
        ) from error


async def _until_stopped(stopping: asyncio.Event, market: Market, outcomes: Outcomes) -> None:
    """Returns when told to stop; raises what breaks the reloading."""
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
