"""What one call adds to the counters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ari_app.domain.calls.record import ClauseResult, LegRecord, Verdict
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer, partial_reversal
from ari_app.domain.reports.rollups import (
    HOUR_MS,
    call_counts,
    call_key,
    call_moved,
    count,
    count_money,
    ending_second,
    is_repeat,
    money_counts,
    offer_counts,
    payable_ms,
)
from tests.samples import BEGAN, make_call

CAUGHT = Verdict(False, [ClauseResult("no_repeat_within", False, "was here yesterday")])


def test_a_call_belongs_to_the_hour_it_began_in_and_to_its_parties() -> None:
    key = call_key(make_call(started_at=5 * HOUR_MS + 1))
    assert key == (5 * HOUR_MS, "plumbing", "acme", "homefix", "sidebar", "USD", "NY")


def test_what_a_call_does_not_have_is_an_empty_text_in_its_key() -> None:
    unknown = make_call(campaign=None, advertiser=None, publisher=None, source=None, money=None)
    assert call_key(unknown)[1:6] == ("", "", "", "", "")


def test_a_call_nobody_answered_has_no_line_and_no_wait() -> None:
    blocked = make_call(disposition="blocked", answered_at=None, offered_at=None, qualification=None)
    assert call_counts(blocked) == {"incoming": 1, "blocked": 1}


def test_a_call_for_which_nobody_was_eligible_was_not_offered() -> None:
    counts = call_counts(make_call(disposition="no_route"))
    assert "offered" not in counts
    assert "wait_ms" not in counts


def test_a_line_is_used_from_the_answer_to_the_end() -> None:
    assert call_counts(make_call(answered_at=BEGAN, ended_at=BEGAN + 61_000))["line_ms"] == 61_000


ENDED = 5 * HOUR_MS
CHARGE = Transfer("c", "post", "advertiser:acme", EXCHANGE, 4200, "USD", ENDED, call_id="1", resolves="h")
PAID = Transfer("p", "post", EXCHANGE, "publisher:homefix", 3000, "USD", ENDED, call_id="1")
LATER = ENDED + HOUR_MS


@pytest.mark.parametrize(
    ("transfer", "counts"),
    [
        (CHARGE, {"revenue": 4200}),
        (PAID, {"payout": 3000}),
        (replace(CHARGE, kind="hold", resolves=None), {}),
        (replace(CHARGE, kind="void"), {}),
        (replace(CHARGE, at=LATER), {"revenue": 4200, "later_revenue": 4200}),
        (replace(PAID, at=LATER), {"payout": 3000, "later_payout": 3000}),
        (
            partial_reversal(CHARGE, "k", 1000, LATER, "bad line"),
            {"revenue": -1000, "corrected_revenue": -1000},
        ),
        (partial_reversal(PAID, "k", 700, LATER, "bad line"), {"payout": -700, "corrected_payout": -700}),
        (
            replace(CHARGE, kind="adjust", resolves=None),
            {"revenue": 4200, "corrected_revenue": 4200},
        ),
        (replace(PAID, kind="adjust"), {"payout": 3000, "corrected_payout": 3000}),
    ],
)
def test_a_transfer_adds_what_it_moved_and_says_what_of_it_came_later(
    transfer: Transfer, counts: dict[str, int]
) -> None:
    assert money_counts(transfer, ENDED) == counts


def test_money_is_counted_in_the_hour_it_moved_in_under_its_calls_parties() -> None:
    call = make_call(started_at=4 * HOUR_MS + 1, ended_at=ENDED)
    back = partial_reversal(CHARGE, "k", 1000, LATER, "bad line")
    cells = count_money(call_moved(call, [CHARGE, PAID, back]))
    parties = ("plumbing", "acme", "homefix", "sidebar", "USD", "NY")
    assert cells == {
        (ENDED, *parties): {"revenue": 4200, "payout": 3000},
        (LATER, *parties): {"revenue": -1000, "corrected_revenue": -1000},
    }


def test_a_caller_whom_the_repeat_window_caught_is_a_repeat() -> None:
    assert is_repeat(make_call(qualification=CAUGHT))
    assert not is_repeat(make_call())


def test_an_anonymous_caller_is_never_a_repeat() -> None:
    assert not is_repeat(make_call(qualification=CAUGHT, ani=None))


def test_an_offer_that_was_accepted_too_late_counts_how_late() -> None:
    leg = LegRecord("a", 1, 1_000, "lost", answered_at=2_000, accepted_at=4_000, lost_by_ms=70)
    assert offer_counts(leg) == {
        "offered": 1, "answered": 1, "accepted": 1, "late": 1, "lost": 1, "accept_ms": 3_000, "late_ms": 70,
    }  # fmt: skip


def test_an_offer_that_rang_out_counts_as_no_answer_alone() -> None:
    assert offer_counts(LegRecord("a", 1, 1_000, "no_answer")) == {"offered": 1, "no_answer": 1}


@pytest.mark.parametrize(
    ("connected_ms", "second"),
    [
        (90_000, 0),
        (89_999, -1),
        (90_999, 0),
        (91_000, 1),
        (75_000, -15),
        (74_999, -16),
        (0, -16),
        (104_999, 14),
        (105_000, 15),
        (9_000_000, 15),
    ],
)
def test_an_ending_has_a_second_counted_from_the_payable_one(connected_ms: int, second: int) -> None:
    assert ending_second(connected_ms, payable_ms=90_000) == second


def test_the_payable_second_is_the_longest_that_the_terms_ask_for() -> None:
    clauses = [{"connected_at_least": "90s"}, {"answer_in": {}}, {"connected_at_least": "2m"}]
    assert payable_ms({"qualify": clauses}) == 120_000
    assert payable_ms({"qualify": [{"answer_in": {}}]}) is None


def test_a_call_that_was_not_connected_has_no_ending() -> None:
    lost = make_call(disposition="no_answer", winner=None)
    assert not count([lost], lambda record: 90_000).endings


def test_each_leg_is_an_offer_to_its_destination() -> None:
    offers = count([make_call()], lambda record: None).offers
    assert {key.destination: +counts for key, counts in offers.items()}.keys() == {
        "agent-1", "agent-2", "agent-3", "agent-4",
    }  # fmt: skip
