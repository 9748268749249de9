"""`callrace switch`: the program that takes the calls."""

from __future__ import annotations

import click

from ari_app.cli.output import json_option, tell
from ari_app.domain.basics.durations import parse_duration
from ari_app.logs import log_to_stderr
from ari_app.serving import running
from ari_app.settings import Settings


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
    from ari_app.wiring import switch as wiring  # no other command waits for all that it imports

    wiring.run(settings)


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
