"""`callrace switch`: the program that takes the calls. The one place where its parts are wired."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys

import click
import uvloop
from sqlalchemy import Engine

from ari_app.ari.client import Client, connect
from ari_app.ari.network import NetworkTransport
from ari_app.cli.common import database
from ari_app.domain.geo import Geography
from ari_app.logs import log_to_stderr
from ari_app.ops.asterisk import ari_settings
from ari_app.ops.doctor import TRUNK
from ari_app.ops.running import only_switch
from ari_app.ops.supervision import supervision
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.writer import Writer
from ari_app.switch.app import Switch
from ari_app.switch.control import control_socket
from ari_app.switch.measured import MeasuredTransport
from ari_app.switch.metrics import Metrics
from ari_app.switch.monitor import monitor

log = logging.getLogger(__name__)

SAVE_S = 10.0
# The writer's thread may keep the event loop waiting for this long, instead of Python's 5 ms.
SWITCH_INTERVAL_S = 0.0005


@click.group()
def switch() -> None:
    """Run the program that takes the calls."""


@switch.command()
def run() -> None:
    """Take calls from Asterisk until told to stop (SIGTERM, or Ctrl-C).

    Then the calls under way are ended and settled. Logs a line an event on stderr. `callrace lab up`
    runs this in the background.

    \b
    For machines, on 127.0.0.1 and CALLRACE_METRICS_PORT (9464 unless set, 0 for nowhere):
      /metrics   for Prometheus
      /healthz   200 while the process lives
      /readyz    200 when a call would be served, else 503 and why not
    """
    settings = Settings.from_env()
    log_to_stderr(settings.log_format)
    with only_switch(settings):
        engine = database()
        tables = geography.load(settings.home)
        metrics = Metrics()
        writer = Writer(engine, settings.home / "unsaved", on_saved=metrics.saved)
        try:
            uvloop.run(_serve(settings, engine, tables, writer, metrics))
        finally:
            unsaved = writer.close(SAVE_S)
            log.info("stopped, %d calls unsaved", unsaved)


async def _serve(
    settings: Settings, engine: Engine, tables: Geography, writer: Writer, metrics: Metrics
) -> None:
    """Serves calls until a signal; raises AriError when Asterisk cannot be used any more."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    served = Switch(engine, writer, tables, metrics)
    served.load()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # the marketplace and the geography stay: collections need not walk through them
    ari = ari_settings(settings)
    transport = MeasuredTransport(NetworkTransport(ari), metrics)
    async with connect(ari, served.on_incoming, transport) as client:
        served.client = client
        async with (
            control_socket(served, settings.control_socket),
            monitor(served, settings.metrics_port),
            supervision(
                settings,
                lambda: {TRUNK, *served.trunks()},
                lambda seen: served.supervised(seen.json(), seen.loose),
                served.phone_changed,
            ),
        ):
            log.info("connected to Asterisk %s at %s", _version(client), ari.url)
            try:
                await _until_stopped(stopping, client, served)
            finally:
                log.info("stopping")
                await served.drain()


async def _until_stopped(stopping: asyncio.Event, client: Client, served: Switch) -> None:
    """Returns when told to stop; raises what ends the client, or what breaks the reloading."""
    waits = [
        asyncio.create_task(stopping.wait()),
        asyncio.create_task(client.run()),
        asyncio.create_task(served.keep_up_to_date()),
    ]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in waits:
            task.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def _version(client: Client) -> str:
    return ".".join(map(str, client.version))
