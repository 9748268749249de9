"""`callrace agi`: the program that answers the dialplan."""

from __future__ import annotations

import click

from ari_app.cli.common import Failed
from ari_app.logs import log_to_stderr
from ari_app.settings import Settings


@click.group()
def agi() -> None:
    """Answer the dialplan, also while no switch is connected."""


@agi.command()
def run() -> None:
    """Serve FastAGI on loopback until told to stop (SIGTERM, or Ctrl-C).

    \b
    In a dialplan (the port is CALLRACE_AGI_PORT), both numbers in E.164:
      AGI(agi://127.0.0.1:4573/lookup,${DID},${ANI})   the call's campaign, the caller's place
      AGI(agi://127.0.0.1:4573/route,${DID},${ANI})    whom to ring: Dial(${CALLRACE_DIAL},30)

    Both take the carrier's STIR/SHAKEN attestation as a third argument. `route` takes ${CALLRACE_BEGAN} as a fourth,
    which dialplan/pieces.conf sets. Without it, a campaign with caps or funds to check rings nobody.

    \b
    To report how such a call ended, for its record and its money, give all
    fields, as dialplan/callrace.conf writes them; an unknown one is empty:
      AGI(agi://127.0.0.1:4573/record,BEGAN_MS,UNIQUEID,DID,ANI,CALL,LEGS,DIALSTATUS,PEER,TALKED_MS,ENDED_MS)

    All set CALLRACE_RESULT: if it is empty, there was no answer. While this runs, it also makes records of the calls
    that the shipped dialplan has served while no switch was connected: it reads them from the dialplan's file.
    """
    settings = Settings.from_env()
    log_to_stderr(settings.log_format)
    from ari_app.wiring import agi as wiring  # imported here, as other commands need not load it

    try:
        wiring.run(settings)
    except wiring.CannotListen as error:
        raise Failed(f"{error}; choose CALLRACE_AGI_PORT") from error
