"""Staged terms: what a campaign says now, and what it says from a moment on."""

from __future__ import annotations

from dataclasses import replace

from ari_app.domain.marketplace import TERMS, Campaign


def staged(campaign: Campaign) -> Campaign | None:
    """The campaign with its staged terms in force; None when it has none."""
    if campaign.staged is None:
        return None
    changed = {name: getattr(campaign.staged, name) for name in TERMS}
    return replace(campaign, staged=None, **{k: v for k, v in changed.items() if v is not None})


def is_staged_at(campaign: Campaign, at: int) -> bool:
    """Whether a call that begins at a moment (ms) is under the staged terms."""
    return campaign.staged is not None and at >= campaign.staged.from_
