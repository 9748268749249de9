"""`callrace route`: the decision for a call that is not placed."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import get_args

import click

from ari_app.cli.common import database, marketplace_in_force, moment, phone_number
from ari_app.cli.output import json_option, show_json, show_sections
from ari_app.domain.caps.outlook import outlook_for
from ari_app.domain.ivr.flow import Caller, Offer, dry_run
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.reports.trial import Trial
from ari_app.domain.routing.intake import UNCOUNTED, Arrival, Ask, Ended, Intake, Refused, Told, Unknown
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.ledger import ledger
from ari_app.views.trial import trial_json, trial_sections


@click.group()
def route() -> None:
    """Ask where a call would go."""


@route.command()
@click.option(
    "--did", metavar="NUMBER", callback=phone_number, required=True, help="The tracking number called."
)
@click.option(
    "--ani",
    metavar="NUMBER",
    callback=phone_number,
    help="The caller's number; without it the caller is anonymous.",
)
@click.option("--press", "presses", default="", help="What the caller presses, a comma between questions.")
@click.option(
    "--at",
    metavar="TIME",
    callback=moment,
    help="When; ISO 8601, UTC unless it has an offset. Default: now.",
)
@click.option(
    "--attestation",
    type=click.Choice(get_args(Attestation)),
    help="The carrier's STIR/SHAKEN attestation of the caller's number; without it there is none.",
)
@json_option
def explain(
    did: str, ani: str | None, presses: str, at: int, attestation: Attestation | None, as_json: bool
) -> None:
    """Tell what would become of a call under the marketplace in force. Nothing is dialled.

    Capacity, redials and rate limits are not looked at, nor what is used of caps: they depend on the calls of the
    moment. Caps and funds that have room for no call, or few at once, are told. Within a
    wave the order is drawn by weight, so it may differ from call to call.

    \b
    Examples:
      callrace route explain --did +18005550101 --ani +12125550142 --press 1,10001
      callrace route explain --did +18005550101 --ani +12125550142 --at 2026-12-25T10:00-05:00
    """
    engine = database()
    loaded = marketplace_in_force(engine)
    tables = geography.load(Settings.from_env().home)
    snapshot = loaded.snapshot(tables)
    trial = _try(snapshot, did, ani, presses.split(",") if presses else [], at, attestation)
    found = trial.attribution
    if found is not None:
        trial = replace(trial, short=outlook_for(loaded.marketplace, found, ledger.available(engine)))
    if as_json:
        show_json(trial_json(trial))
    else:
        show_sections(trial_sections(trial))


def _try(
    snapshot: Snapshot,
    did: str,
    ani: str | None,
    presses: list[str],
    at: int,
    attestation: Attestation | None,
) -> Trial:
    """The way of a call that nobody makes, up to the race."""
    intake = Intake(snapshot, Arrival(did, ani, at, attestation), Random(f"{did} {ani}"))
    step, run = intake.start(), None
    while not isinstance(step, Ended):
        outcome = UNCOUNTED[type(step)]
        if isinstance(step, Ask):
            run = dry_run(step.flow, Caller(snapshot.geography, did, ani, at, step.timezone), presses)
            outcome = Told(isinstance(run.end, Offer), run.entered_zip)
        step = intake.handle(outcome, at)
    if isinstance(step, Unknown | Refused):
        return Trial(did, ani, at, intake.found, step.refusal if isinstance(step, Refused) else None)
    return Trial(did, ani, at, intake.found, None, run, intake.place, intake.decision)
