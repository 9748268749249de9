"""Staged terms: the terms of a campaign from a moment on, beside those of now.

From that moment on the staged terms are in force. The terms written beside them do not count any more. So an edit is
refused if it would only change those, or would bring them back by mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.terms import TERMS


def staged(campaign: Campaign) -> Campaign | None:
    """The campaign with its staged terms in force; None when it has none."""
    if campaign.staged is None:
        return None
    return replace(campaign, staged=None, **_staged_terms(campaign))


def is_staged_at(campaign: Campaign, at: int) -> bool:
    """Whether a call that begins at a moment (ms) is under the staged terms."""
    return campaign.staged is not None and at >= campaign.staged.from_


def campaign_at(campaign: Campaign, at: int) -> Campaign:
    """The campaign as it is at a moment (ms): with its staged terms, if their time has come."""
    later = staged(campaign) if is_staged_at(campaign, at) else None
    return later or campaign


def in_force(marketplace: Marketplace, at: int) -> Marketplace:
    """The marketplace as it is at a moment (ms)."""
    campaigns = {name: campaign_at(campaign, at) for name, campaign in marketplace.campaigns.items()}
    return replace(marketplace, campaigns=campaigns)


def fold(entry: dict[str, Any], at: int) -> None:
    """In a campaign's entry of a document, replaces the terms by staged terms whose time (ms) has come."""
    later = entry.get("staged")
    if later is not None and from_iso(later["from"]) <= at:
        del entry["staged"]
        entry.update({name: value for name, value in later.items() if name != "from"})


def refusals(before: Mapping[str, Campaign], after: Mapping[str, Campaign], at: int) -> Iterator[str]:
    """A line for each campaign where an edit would have no effect, because staged terms are in force at `at` (ms)."""
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if hidden := [term for term in TERMS if _is_hidden_edit(term, old, new, at)]:
            yield (
                f"campaign {name}: its staged terms are in force since {_since(new)} and hide its own "
                f"{', '.join(hidden)}: write what is to count in their place, and take `staged` out"
            )


def undone(
    before: Mapping[str, Campaign], after: Mapping[str, Campaign], at: int
) -> Iterator[tuple[str, list[str], str]]:
    """Each campaign whose staged terms, in force at `at` (ms), an edit would undo: its id, and since when (ISO)."""
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if terms := [term for term in TERMS if _is_undone(term, old, new, at)]:
            yield name, terms, _since(old)


def _is_hidden_edit(term: str, old: Campaign, new: Campaign, at: int) -> bool:
    """Whether the staged terms hide a value that is neither what is written now nor what counts now."""
    if not is_staged_at(new, at) or term not in _staged_terms(new):
        return False
    written = getattr(new, term)
    known = (getattr(old, term), getattr(campaign_at(old, at), term), _staged_terms(new)[term])
    return written not in known


def _is_undone(term: str, old: Campaign, new: Campaign, at: int) -> bool:
    """Whether a value that was in force before the staged terms would be in force again."""
    was, is_now = getattr(old, term), getattr(campaign_at(old, at), term)
    return bool(was != is_now and getattr(campaign_at(new, at), term) == was)


def _staged_terms(campaign: Campaign) -> dict[str, Any]:
    changed = {name: getattr(campaign.staged, name) for name in TERMS}
    return {name: value for name, value in changed.items() if value is not None}


def _since(campaign: Campaign) -> str:
    assert campaign.staged is not None
    return iso(campaign.staged.from_)
