"""A route trial: where a call would go, and why, without a call."""

from __future__ import annotations

from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.ivr.flow import DryRun, ToOffer
from ari_app.domain.market.campaigns import Route
from ari_app.domain.reports.trial import Trial
from ari_app.domain.routing.routing import Decision
from ari_app.domain.terms.qualification import seconds
from ari_app.views.applied import shortage_json
from ari_app.views.explain import place_text
from ari_app.views.sections import Section


def trial_sections(trial: Trial) -> list[Section]:
    """The decision for people."""
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
    if isinstance(run.end, ToOffer):
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


def trial_json(trial: Trial) -> dict[str, Any]:
    """The decision for programs."""
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
            "ends": "offer" if isinstance(run.end, ToOffer) else run.end.reason,
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
        "warnings": [shortage_json(short) for short in trial.short],
    }
