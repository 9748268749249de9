"""`callrace route`: where a call would go, without a call."""

from __future__ import annotations

from typing import get_args

import click

from ari_app.cli.common import moment, phone_number, site
from ari_app.cli.output import json_option, show_json, show_sections
from ari_app.desk.route_trial import try_route
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.routing.intake import Arrival
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
    """Show where a call would go under the marketplace in force. Nothing is dialled.

    Capacity, redials, rate limits and the use of caps are not checked, as they depend on the calls of the moment. Caps
    and funds that have room for no call, or for few at once, are shown. Within a wave the order is drawn at random by
    weight, so it may differ from call to call.

    \b
    Examples:
      callrace route explain --did +18005550101 --ani +12125550142 --press 1,10001
      callrace route explain --did +18005550101 --ani +12125550142 --at 2026-12-25T10:00-05:00
    """
    arrival = Arrival(did, ani, at, attestation)
    trial = try_route(site(), arrival, presses.split(",") if presses else [])
    if as_json:
        show_json(trial_json(trial))
    else:
        show_sections(trial_sections(trial))
