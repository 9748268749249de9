"""The switch: the program that takes the calls."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import uvloop

from ari_app.ari.client import Client, connect
from ari_app.ari.network import NetworkTransport
from ari_app.ari.presence import keep_present
from ari_app.media.asterisk import ari_settings
from ari_app.serving.running import only_switch
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls.journal import ASIDE, Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db.atomic_files import clear_unfinished
from ari_app.store.db.schema import opened
from ari_app.switch.app import Switch
from ari_app.switch.control import control_socket
from ari_app.switch.failover import keep_failover_told
from ari_app.switch.measured import MeasuredTransport
from ari_app.switch.metrics import Metrics
from ari_app.switch.monitor import monitor
from ari_app.watch.asteriskchecks import TRUNK
from ari_app.watch.certificate import keep_certificate_read
from ari_app.watch.probes import APP, keep_probes_true
from ari_app.watch.recorder import recorder
from ari_app.watch.supervision import supervision
from ari_app.wiring.process import SWITCH_INTERVAL_S, run_forever

log = logging.getLogger(__name__)

SAVE_S = 10.0
HANDED_OVER = os.EX_TEMPFAIL  # the exit code; systemd starts the next switch then
GARBAGE = 10_000  # objects between two collections: a call makes hundreds, nearly none in reference cycles


def run(settings: Settings) -> None:
    """Takes calls until SIGTERM or SIGINT; SIGUSR1 hands the calls over to the next switch.

    Raises StoreError, AriError, and what `only_switch` raises when another switch runs.
    """
    with only_switch(settings):
        journal_folder, spool = settings.journal, Spool(settings.spool)
        folders = journal_folder, journal_folder / ASIDE, spool.folder, spool.refused_folder
        clear_unfinished(*(folder / "*" for folder in folders))
        engine = opened(settings.database_url, is_serving=True)
        tables = geography.load(settings.home)
        journal, metrics = Journal(journal_folder), Metrics()
        writer = Writer(engine, spool, on_saved=metrics.saved, on_safe=journal.settled)
        try:
            uvloop.run(_serve(settings, Switch(engine, writer, journal, tables, metrics)))
        finally:
            unsaved = writer.close(SAVE_S)
            journal.close()
            log.info("stopped, %d calls in the spool", unsaved)


async def _serve(settings: Settings, served: Switch) -> None:
    """Serves calls until a signal; raises AriError when Asterisk cannot be used any more."""
    stopping, leaving = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    served.load()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # marketplace and geography stay: the garbage collector need not look at them
    gc.set_threshold(GARBAGE)
    ari = ari_settings(settings)
    transport = MeasuredTransport(NetworkTransport(ari), served.metrics)
    async with (
        recorder(settings) as tape,
        connect(ari, served.on_incoming, transport, served.on_reconnected) as client,
    ):
        served.client = client
        served.shared.recorder = tape
        served.recover()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, leaving.set)
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
                await _until_stopped(
                    stopping,
                    served.keep_up_to_date(),
                    client.run(),
                    served.drained(),
                    _leave(leaving, served),
                    run_forever(lambda: keep_present(ari, APP, served.is_ready)),
                    run_forever(lambda: keep_probes_true(settings, served.is_ready)),
                    run_forever(lambda: keep_certificate_read(client, settings)),
                    run_forever(lambda: keep_failover_told(client, lambda: served.market.snapshot)),
                )
            finally:
                log.info("stopping")
                await served.drain()


async def _leave(leaving: asyncio.Event, served: Switch) -> None:
    """Ends this process at once when `leaving` is set. A normal shutdown would hang up the callers."""
    while await leaving.wait():
        leaving.clear()
        if await served.leave():
            os._exit(HANDED_OVER)


async def _until_stopped(stopping: asyncio.Event, *work: Coroutine[Any, Any, None]) -> None:
    """Returns when told to stop or when drained; raises the error that ends the ARI client or any other `work`."""
    waits = [asyncio.create_task(stopping.wait()), *map(asyncio.create_task, work)]
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
