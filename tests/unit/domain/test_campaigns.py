"""A campaign's status goes forward only along its life; what has ended has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ari_app.domain.market.campaigns import NEXT, Campaign, refusals

_CAMPAIGN = Campaign(advertiser="acme", price=4200, payout=3000)


def _refused(before: str, after: str) -> list[str]:
    return list(
        refusals({"c": replace(_CAMPAIGN, status=before)}, {"c": replace(_CAMPAIGN, status=after)})  # type: ignore[arg-type]
    )


_STEPS = [
    ("draft", "live"),
    ("live", "paused"),
    ("paused", "live"),
    ("live", "ended"),
    ("paused", "ended"),
]


@pytest.mark.parametrize("before", NEXT)
@pytest.mark.parametrize("after", NEXT)
def test_a_campaign_stays_or_takes_a_step_of_its_life(before: str, after: str) -> None:
    assert bool(_refused(before, after)) == (before != after and (before, after) not in _STEPS)


def test_a_refusal_names_the_campaign_and_the_step_and_what_to_do() -> None:
    assert _refused("live", "draft") == ["campaign c cannot go from live to draft; expected paused or ended"]
    assert _refused("ended", "live") == [
        "campaign c cannot go from ended to live; it is over: begin a new campaign under another id"
    ]


def test_a_new_campaign_may_begin_in_any_status() -> None:
    assert not list(refusals({}, {"c": replace(_CAMPAIGN, status="ended")}))
