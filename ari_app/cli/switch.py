"""`callrace switch`: the program that takes the calls. The one place where its parts are wired."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys

import click
import uvloop

from ari_app.ari.client import Client, connect
from ari_app.ari.network import NetworkTransport
from ari_app.cli.common import SWITCH_INTERVAL_S, database
from ari_app.cli.output import json_option, tell
from ari_app.domain.basics.fields import parse_duration
from ari_app.logs import log_to_stderr
from ari_app.media.asterisk import ari_settings
from ari_app.serving import running
from ari_app.serving.running import only_switch
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls.journal import ASIDE, Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db.atomic_files import clear_unfinished
from ari_app.switch.app import Switch
from ari_app.switch.control import control_socket
from ari_app.switch.measured import MeasuredTransport
from ari_app.switch.metrics import Metrics
from ari_app.switch.monitor import monitor
from ari_app.watch.asteriskchecks import TRUNK
from ari_app.watch.recorder import recorder
from ari_app.watch.supervision import supervision

log = logging.getLogger(__name__)

SAVE_S = 10.0
HANDED_OVER = os.EX_TEMPFAIL  # the exit code; systemd starts the next switch then
GARBAGE = 10_000  # objects between two collections: a call makes hundreds, and nearly none in circles


@click.group()
def switch() -> None:
    """Run, and gracefully end, the program that takes the calls."""


def _duration(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """An option's value that is a duration, in ms; anything else is wrong usage."""
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@switch.command()
def run() -> None:
    """Take calls from Asterisk until told to stop (SIGTERM, or Ctrl-C).

    Then the calls under way are ended and settled; SIGUSR1 leaves them to the next switch (`switch hand-over`).
    Those that a switch before it left, or was killed with, are taken up first. Logs a line an event on stderr.
    `callrace lab up` runs this in the background.

    \b
    For machines, on 127.0.0.1 and CALLRACE_METRICS_PORT (9464 unless set, 0 for nowhere):
      /metrics   for Prometheus
      /healthz   200 while the process lives
      /readyz    200 when a call would be served, else 503 and why not
    """
    settings = Settings.from_env()
    log_to_stderr(settings.log_format)
    with only_switch(settings):
        journal_folder, spool = settings.journal, Spool(settings.spool)
        folders = journal_folder, journal_folder / ASIDE, spool.folder, spool.refused_folder
        clear_unfinished(*(folder / "*" for folder in folders))
        engine = database(is_serving=True)
        tables = geography.load(settings.home)
        journal, metrics = Journal(journal_folder), Metrics()
        writer = Writer(engine, spool, on_saved=metrics.saved, on_safe=journal.settled)
        try:
            uvloop.run(_serve(settings, Switch(engine, writer, journal, tables, metrics)))
        finally:
            unsaved = writer.close(SAVE_S)
            journal.close()
            log.info("stopped, %d calls in the spool", unsaved)


@switch.command()
@click.option(
    "--timeout", "timeout_ms", callback=_duration, default="30m", show_default=True, help="How long to wait."
)
@json_option
def drain(timeout_ms: int, as_json: bool) -> None:
    """Take no new calls, finish those under way, and end the switch; return when it has ended.

    Meanwhile the dialplan serves new calls by its next rung, as when no switch runs: to take a machine out of
    service. To upgrade, use `callrace switch hand-over`. Exit code 1 when calls are still under way after
    --timeout: the switch goes on draining.

    \b
    Example:
      callrace switch drain --timeout 10m && callrace lab down
    """
    calls = running.drain(Settings.from_env(), timeout_ms / 1000)
    text = f"drained: {calls} call{'' if calls == 1 else 's'} finished, the switch has ended"
    tell({"calls": calls}, text, as_json)


@switch.command("hand-over")
@json_option
def hand_over(as_json: bool) -> None:
    """End the switch at once, and leave its calls in Asterisk for the next one to take up. The way to upgrade.

    Who talks goes on talking. Callers in an IVR are asked again what they were asked last, and those for whom
    phones rang are offered again. Calls that come meanwhile wait up to three seconds for the next switch; then
    the dialplan serves them by its next rung.

    \b
    Example:
      callrace switch hand-over && callrace lab up
    """
    calls = running.hand_over(Settings.from_env())
    text = f"handed over: {calls} call{'' if calls == 1 else 's'} left in Asterisk for the next switch"
    tell({"calls": calls}, text, as_json)


async def _serve(settings: Settings, served: Switch) -> None:
    """Serves calls until a signal; raises AriError when Asterisk cannot be used any more."""
    stopping, leaving = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    served.load()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.freeze()  # the marketplace and the geography stay: collections need not walk through them
    gc.set_threshold(GARBAGE)
    ari = ari_settings(settings)
    transport = MeasuredTransport(NetworkTransport(ari), served.metrics)
    async with (
        recorder(settings) as tape,
        connect(ari, served.on_incoming, transport, served.on_reconnected) as client,
    ):
        served.client = client
        served.recorder = tape
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
                await _until_stopped(stopping, leaving, client, served)
            finally:
                log.info("stopping")
                await served.drain()


async def _leave(leaving: asyncio.Event, served: Switch) -> None:
    """Ends this process as it stands when it is told to: to unwind it would hang its callers up."""
    while await leaving.wait():
        leaving.clear()
        if await served.leave():
            os._exit(HANDED_OVER)


async def _until_stopped(
    stopping: asyncio.Event, leaving: asyncio.Event, client: Client, served: Switch
) -> None:
    """Returns when told to stop, or drained; raises what ends the client, or what breaks the reloading."""
    waits = [
        asyncio.create_task(stopping.wait()),
        asyncio.create_task(client.run()),
        asyncio.create_task(served.keep_up_to_date()),
        asyncio.create_task(served.drained()),
        asyncio.create_task(_leave(leaving, served)),
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
