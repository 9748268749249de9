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

    When told to stop, it ends and settles the calls under way; SIGUSR1 leaves them to the next switch (`switch
    hand-over`). When it starts, it first resumes calls that an earlier switch left, or had when it was killed. It logs
    one line for each event on stderr. `callrace lab up` runs this in the background.

    \b
    For machines, on 127.0.0.1 and CALLRACE_METRICS_PORT (9464 unless set, 0 for nowhere):
      /metrics   for Prometheus
      /healthz   200 while the process lives
      /readyz    200 when calls are served, else 503 with the reason
    """
    settings = Settings.from_env()
    log_to_stderr(settings.log_format)
    from ari_app.wiring import switch as wiring  # imported here, as other commands need not load it

    wiring.run(settings)


@switch.command()
@click.option(
    "--timeout", "timeout_ms", callback=_duration, default="30m", show_default=True, help="How long to wait."
)
@json_option
def drain(timeout_ms: int, as_json: bool) -> None:
    """Take no new calls, finish those under way, and end the switch; return when it has ended.

    Use it to take a machine out of service. Meanwhile the dialplan itself serves new calls, as when no switch runs. To
    upgrade, use `callrace switch hand-over`. Exit code 1 when calls are still under way after --timeout: the switch
    then goes on draining.

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
    """End the switch at once, and leave its calls in Asterisk for the next switch. Use it to upgrade.

    Conversations go on. A caller in an IVR is asked the last question again; a call for which phones rang is offered
    again. New calls wait up to three seconds for the next switch; after that, the dialplan itself serves them.

    \b
    Example:
      callrace switch hand-over && callrace lab up
    """
    calls = running.hand_over(Settings.from_env())
    text = f"handed over: {calls} call{'' if calls == 1 else 's'} left in Asterisk for the next switch"
    tell({"calls": calls}, text, as_json)
