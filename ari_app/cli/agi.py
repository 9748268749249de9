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
    from ari_app.wiring import agi as wiring  # no other command waits for all that it imports

    try:
        wiring.run(settings)
    except wiring.CannotListen as error:
        raise Failed(f"{error}; choose CALLRACE_AGI_PORT") from error
