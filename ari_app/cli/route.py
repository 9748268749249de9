"""`callrace route`: the decision for a call that is not placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any, get_args

import click

from ari_app.cli.common import database, marketplace_in_force, moment, phone_number
from ari_app.cli.output import json_option, show_json, show_sections
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.geo import Place
from ari_app.domain.caps.outlook import Shortage, outlook_for
from ari_app.domain.ivr.flow import Caller, DryRun, Offer, dry_run
from ari_app.domain.market.campaigns import Route
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.routing.intake import UNCOUNTED, Arrival, Ask, Ended, Intake, Refused, Told, Unknown
from ari_app.domain.routing.routing import Decision
from ari_app.domain.routing.screening import Refusal
from ari_app.domain.routing.snapshot import Attribution, Snapshot
from ari_app.domain.terms.qualification import seconds
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.ledger import ledger
from ari_app.views.explain import place_text
from ari_app.views.sections import Section


@dataclass(frozen=True, slots=True)
class _Trial:
    """What would become of a call; what comes after a refusal or the end of the flow is None."""

    did: str
    ani: str | None
    at: int
    attribution: Attribution | None = None
    refusal: Refusal | None = None
    flow: DryRun | None = None
    place: Place | None = None
    decision: Decision | None = None
    short: Sequence[Shortage] = ()


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
        show_json(_json(trial))
    else:
        show_sections(_sections(trial))


def _try(
    snapshot: Snapshot,
    did: str,
    ani: str | None,
    presses: list[str],
    at: int,
    attestation: Attestation | None,
) -> _Trial:
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
        return _Trial(did, ani, at, intake.found, step.refusal if isinstance(step, Refused) else None)
    return _Trial(did, ani, at, intake.found, None, run, intake.place, intake.decision)


# For people


def _sections(trial: _Trial) -> list[Section]:
    title = f"{trial.ani or 'An anonymous caller'} calling {trial.did} at {iso(trial.at)[:16]} UTC"
    found = trial.attribution
    if found is None:
        return [Section(title, ["The number belongs to no campaign: the call is turned away unanswered."])]
    source = f', source "{found.number.source}"' if found.number.source else ""
    sections = [
        Section(
            title,
            [
                f"Campaign {found.campaign_id} of {found.campaign.advertiser}, publisher "
                f"{found.number.publisher}{source}, terms version {found.terms_version}."
            ],
        )
    ]
    if trial.refusal is not None:
        refused = f"The call is refused ({trial.refusal.disposition}): {trial.refusal.reason}."
        return [*sections, Section("Screening", [refused])]
    if trial.flow is not None:
        sections.append(Section("Questions", _flow_lines(trial.flow)))
    if trial.place is not None:
        sections.append(Section("Place", [place_text(trial.place.record(), trial.ani)]))
    if trial.decision is not None:
        sections += _decision_sections(trial.decision, found.campaign.route)
    if trial.short:
        sections.append(Section("Caps and funds", [f"- {shortage.words}." for shortage in trial.short]))
    return sections


def _flow_lines(run: DryRun) -> list[str]:
    answers = ", ".join(f"{name} = {value}" for name, value in run.answers.items()) or "none"
    lines = [f"Way through the flow: {', '.join(run.path)}.", f"Answers: {answers}."]
    if run.unused:
        lines.append(f"Not asked for any more: {', '.join(run.unused)}.")
    if isinstance(run.end, Offer):
        lines.append("The caller is offered to the agents.")
    else:
        lines.append(f"The flow ends the call ({run.end.reason.replace('_', ' ')}); no phone is rung.")
    return lines


def _decision_sections(decision: Decision, rules: Route) -> list[Section]:
    sections = []
    for number, wave in enumerate(decision.plan.waves, start=1):
        if wave.destinations:
            title = f"Wave {number}, {_when(number, wave.after_ms)}"
            sections.append(Section(title, [f"- {name}" for name in wave.destinations]))
    if decision.nobody:
        play = rules.fallback.play or "the usual announcement"
        sections.append(Section("Nobody can be rung", [f"The caller hears {play}, then the call ends."]))
    if decision.excluded:
        lines = [f"- {e.destination}: {e.reason}." for e in decision.excluded]
        sections.append(Section("Left out", lines))
    return sections


def _when(number: int, after_ms: int | None) -> str:
    if number == 1 and not after_ms:
        return "at once"
    if after_ms is None:
        return "once nobody of the wave before is left"
    return f"after {seconds(after_ms)}, or once nobody of the wave before is left"


# For programs


def _json(trial: _Trial) -> dict[str, Any]:
    found, run, decision = trial.attribution, trial.flow, trial.decision
    place = trial.place.record() if trial.place else None
    return {
        "did": trial.did,
        "ani": trial.ani,
        "at": iso(trial.at),
        "campaign": found.campaign_id if found else None,
        "advertiser": found.campaign.advertiser if found else None,
        "publisher": found.number.publisher if found else None,
        "source": found.number.source if found else None,
        "terms_version": found.terms_version if found else None,
        "refused": trial.refusal
        and {"disposition": trial.refusal.disposition, "reason": trial.refusal.reason},
        "flow": run
        and {
            "path": run.path,
            "answers": run.answers,
            "unused": run.unused,
            "ends": "offer" if isinstance(run.end, Offer) else run.end.reason,
        },
        "place": place
        and {"state": place.state, "zip": place.zip, "timezone": place.timezone, "from": place.from_},
        "waves": decision
        and [
            {"wave": n, "after_ms": wave.after_ms, "destinations": list(wave.destinations)}
            for n, wave in enumerate(decision.plan.waves, start=1)
        ],
        "excluded": decision
        and [{"destination": e.destination, "reason": e.reason} for e in decision.excluded],
        "warnings": [asdict(shortage) for shortage in trial.short],
    }
