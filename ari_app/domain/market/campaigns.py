"""A campaign's life: draft, then live, paused and live again, at last ended, for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ari_app.domain.market.marketplace import Campaign

NEXT: Mapping[str, tuple[str, ...]] = {
    "draft": ("live",),
    "live": ("paused", "ended"),
    "paused": ("live", "ended"),
    "ended": (),
}
"""The statuses that may follow each. A new campaign may begin in any."""


def refusals(before: Mapping[str, Campaign], after: Mapping[str, Campaign]) -> Iterator[str]:
    """A line for each campaign whose status would take a step that there is not."""
    for name, campaign in after.items():
        old = before.get(name)
        if old is not None and campaign.status not in (old.status, *NEXT[old.status]):
            yield f"campaign {name} cannot go from {old.status} to {campaign.status}; {_instead(old.status)}"


def _instead(status: str) -> str:
    steps = NEXT[status]
    return f"expected {' or '.join(steps)}" if steps else "it is over: begin a new campaign under another id"
