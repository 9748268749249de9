"""What pages draw and say of a call and of terms: bars in order and inside the picture, terms in plain words."""

from __future__ import annotations

from ari_app.views.hours import chart
from ari_app.views.picture import LABEL, WIDTH, picture
from ari_app.views.terms import terms_sections
from tests.samples import make_call


def test_a_call_is_drawn_with_the_caller_and_each_leg_in_time() -> None:
    found = picture(make_call(1))
    assert found is not None and found.award is not None
    assert [lane.name for lane in found.lanes] == ["caller", "agent-1", "agent-2", "agent-3", "agent-4"]
    assert [bar.look for bar in found.lanes[0].bars] == ["ivr", "wait", "talk"]
    assert found.lanes[2].note == "lost by 1 ms"
    for lane in found.lanes:
        assert all(bar.x >= LABEL and bar.x + bar.width <= WIDTH for bar in lane.bars)
        assert [bar.x for bar in lane.bars] == sorted(bar.x for bar in lane.bars)
    assert 2 <= len(found.ticks) <= 10


def test_a_call_that_took_no_time_has_no_picture() -> None:
    call = make_call(1)
    assert picture(make_call(1, ended_at=call.started_at)) is None
    assert picture(make_call(1, ended_at=None)) is None


def test_hours_are_on_one_scale_with_those_of_the_week_before() -> None:
    found = chart([{"hour": "2026-11-28T09:00-05:00", "incoming": 4, "qualified": 2}], [])
    hour = found.hours[9]
    assert (hour.now, hour.part, hour.before) == (hour.part * 2, hour.part, 0)
    assert [count for _, count in found.scale] == [0, 2, 5]
    assert chart([], []).hours[0].now == 0


def test_terms_are_told_in_plain_words_and_what_is_hidden_is_not() -> None:
    entry = {
        "price": {"per_minute": "0.90", "increment": "30s"},
        "payout": {"share": "70%", "maximum": "40.00"},
        "qualify": [
            {"connected_at_least": "90s"},
            {"caller_in": {"states": ["NY", "NJ"], "zip": "10001", "radius_miles": 50}},
            {"no_repeat_within": "30d"},
            {"within_hours": {"open": ["mon-fri 08:00-20:00"], "timezone": "America/New_York"}},
        ],
    }
    told = [line for section in terms_sections(entry, "USD") for line in section.lines]
    assert told == [
        "The advertiser is charged 0.90 USD a minute, in steps of 30s.",
        "The publisher is paid 70% of the price, at most 40.00 USD.",
        "- caller and agent talk for at least 90s",
        "- the caller is in NY or NJ, or within 50 miles of 10001",
        "- the caller has not been connected to an agent within 30d before",
        "- it comes within mon-fri 08:00-20:00, America/New_York time",
    ]
    del entry["price"]
    assert "charged" not in str(terms_sections(entry, "USD"))
