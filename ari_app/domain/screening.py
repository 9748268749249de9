"""Whom a campaign does not take, before the IVR: closed, suspended, anonymous, blocked, redialling, capped."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.domain.hours import is_open
from ari_app.domain.marketplace import Campaign
from ari_app.domain.record import Disposition

CLOSED_PROMPT = "tts:We are closed at the moment. Please call again during our business hours."
REFUSED_PROMPT = "tts:We are sorry. Your call can not be taken."
CAPPED_PROMPT = "tts:We are sorry. We can take no more calls at the moment. Please call again later."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the call is not taken, how the record names it, and what the caller hears."""

    disposition: Disposition
    reason: str
    announce: str


def screen(
    campaign: Campaign,
    timezone: str,
    ani: str | None,
    now: int,
    last_call_at: int | None,
    suspended: str | None = None,
) -> Refusal | None:
    """The first reason to refuse the call, or None.

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
    reason = _unwanted(campaign, ani, now, last_call_at)
    return Refusal("blocked", reason, rules.announce or REFUSED_PROMPT) if reason else None


def blocked_by(campaign: Campaign, ani: str | None) -> str | None:
    """The entry of the campaign's block list that the number matches, or None."""
    entries = campaign.screen.block if ani is not None else ()
    matching = (e for e in entries if ani == e or (e.endswith("*") and str(ani).startswith(e[:-1])))
    return next(matching, None)


def capped(campaign: Campaign, reason: str) -> Refusal:
    """The refusal of a call that a cap leaves no room for: known before the IVR, or found before the offer."""
    return Refusal("capped", reason, campaign.screen.announce or CAPPED_PROMPT)


def _unwanted(campaign: Campaign, ani: str | None, now: int, last_call_at: int | None) -> str | None:
    rules = campaign.screen
    if ani is None:
        return "anonymous callers are refused" if rules.anonymous == "refuse" else None
    entry = blocked_by(campaign, ani)
    if entry is not None:
        return f"{ani} is blocked by {entry}"
    if last_call_at is not None and now - last_call_at < rules.redial_within:
        return f"redialled after {now - last_call_at} ms, within {rules.redial_within} ms"
    return None
