"""What can become of an application."""

from typing import get_args

import pytest

from ari_app.domain.market.campaigns import Campaign, Route
from ari_app.domain.numbers.applications import (
    TRANSITIONS,
    ApplicationEvent,
    ApplicationState,
    after,
    closed_to,
    possible,
)

OPEN = Campaign(advertiser="acme", price=1, payout=1, route=Route(waves=()))
INVITING = Campaign(
    advertiser="acme", price=1, payout=1, route=Route(waves=()), visibility="invited", invited={"homefix"}
)


def test_only_an_approved_application_can_be_suspended() -> None:
    allowed = [state for state in (None, *get_args(ApplicationState)) if after(state, "suspend")]
    assert allowed == ["approved"]


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS.values()) == set(get_args(ApplicationState))
    assert all(possible(state) for state in get_args(ApplicationState))
    assert {event for _, event in TRANSITIONS} == set(get_args(ApplicationEvent))


@pytest.mark.parametrize(
    ("campaign", "publisher", "reason"),
    [
        (OPEN, "anybody", None),
        (INVITING, "homefix", None),
        (INVITING, "bluebird", "it takes only invited publishers, and bluebird is not one"),
    ],
)
def test_an_inviting_campaign_is_closed_to_others(
    campaign: Campaign, publisher: str, reason: str | None
) -> None:
    assert closed_to(campaign, publisher) == reason
