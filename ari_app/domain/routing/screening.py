"""Screening: which calls a campaign does not take, before the IVR, and which calls no campaign takes.

A campaign refuses when it is closed, suspended or capped, and when the caller is anonymous, blocked or redials. Such
callers may be customers, so they hear an announcement. What the whole marketplace refuses (`barred`, and
`ratelimits`) is abuse, and is rejected before it is answered: an announcement would keep a line and media busy, and
the call would be billed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.domain.basics.hours import is_open
from ari_app.domain.calls.record import Disposition
from ari_app.domain.market.attestation import why_unattested
from ari_app.domain.market.campaigns import Campaign, Screen
from ari_app.domain.market.marketplace import Screening
from ari_app.domain.market.shapes import Attestation

CLOSED_PROMPT = "tts:We are closed at the moment. Please call again during our business hours."
REFUSED_PROMPT = "tts:We are sorry. Your call can not be taken."
CAPPED_PROMPT = "tts:We are sorry. We can take no more calls at the moment. Please call again later."

# Q.850
REJECTED = 21  # SIP 403: final, so that a carrier tries no other route
NO_CIRCUIT = 34  # SIP 503: the carrier may try another


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the call is not taken, its disposition in the record, and what the caller hears.

    `announce` None: the call is not answered; it is rejected with the Q.850 cause `cause`.
    """

    disposition: Disposition
    reason: str
    announce: str | None = None
    cause: int = REJECTED


def barred(rules: Screening, ani: str | None, attestation: Attestation | None = None) -> Refusal | None:
    """Why no campaign takes the caller, or None."""
    reason = _not_accepted(rules, ani, attestation)
    return Refusal("blocked", f"{reason}, in every campaign") if reason else None


def trunk_full(trunk: str, size: int) -> Refusal:
    """The refusal of a call from a trunk that already has as many calls as it may have."""
    return Refusal(
        "capped",
        f"trunk {trunk} has {size} call{'s' if size > 1 else ''}, as many as it takes",
        cause=NO_CIRCUIT,
    )


def screen(
    campaign: Campaign,
    timezone: str,
    ani: str | None,
    now: int,
    last_call_at: int | None,
    suspended: str | None = None,
    attestation: Attestation | None = None,
) -> Refusal | None:
    """The first reason of the campaign to refuse the call, or None.

    `timezone`: the advertiser's, for hours that name none. `last_call_at`: when this caller last
    dialled this number, ms, or None. `suspended`: why the number's publisher is, or None.
    """
    rules = campaign.screen
    if campaign.status != "live":
        return Refusal("closed", f"the campaign is {campaign.status}", rules.announce or CLOSED_PROMPT)
    if suspended is not None:
        return Refusal("closed", f"the publisher is suspended: {suspended}", rules.announce or CLOSED_PROMPT)
    if campaign.hours and not is_open(campaign.hours, now, timezone):
        return Refusal("closed", "outside the campaign's hours", rules.announce or CLOSED_PROMPT)
    reason = _not_accepted(rules, ani, attestation) or _redialled(rules, ani, now, last_call_at)
    return Refusal("blocked", reason, rules.announce or REFUSED_PROMPT) if reason else None


def blocked_by(rules: Screen | Screening, ani: str | None) -> str | None:
    """The entry of the block list that the number matches, or None."""
    if ani is None:
        return None
    for entry in rules.block:
        if ani == entry or (entry.endswith("*") and ani.startswith(entry[:-1])):
            return entry
    return None


def capped(campaign: Campaign, reason: str) -> Refusal:
    """The refusal of a call for which a cap has no room: known before the IVR, or found before the offer."""
    return Refusal("capped", reason, campaign.screen.announce or CAPPED_PROMPT)


def _not_accepted(rules: Screen | Screening, ani: str | None, attestation: Attestation | None) -> str | None:
    if ani is None and rules.anonymous == "refuse":
        return "anonymous callers are refused"
    entry = blocked_by(rules, ani)
    if entry is not None:
        return f"{ani} is blocked by {entry}"
    return why_unattested(attestation, rules.attestation)


def _redialled(rules: Screen, ani: str | None, now: int, last_call_at: int | None) -> str | None:
    if ani is not None and last_call_at is not None and now - last_call_at < rules.redial_within:
        return f"redialled after {now - last_call_at} ms, within {rules.redial_within} ms"
    return None
