"""The end of a call: what it is pinned to, how long it was, what it comes to, and the words of its timeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ari_app.domain.calls.geo import Geography, Place
from ari_app.domain.calls.record import CallRecord, Conversion, Durations, Money, ShareOfPrice
from ari_app.domain.market.campaigns import Campaign, Route, Screen
from ari_app.domain.market.destinations import Coverage
from ari_app.domain.market.marketplace import Number
from ari_app.domain.market.terms import Bonus, Clause, Override, Rate
from ari_app.domain.routing.snapshot import Attribution
from ari_app.domain.terms.settlement import (
    assess,
    awaits_verdict,
    billed_ms,
    conclude,
    facts_of,
    in_words,
    most_charged,
    most_paid,
    payout_rate,
    pin,
)
from tests.samples import BEGAN, make_call, waiting

NOWHERE = Geography({}, {})
NEW_YORK = Place("NY", "10001", "America/New_York", "zip")
SALE = Bonus("sale", (Clause(converted_within=86_400_000),), price=500, payout=300)
LONG = Bonus("long", (Clause(connected_at_least=60_000),), price=100, payout=70)


def campaign(**changes: Any) -> Campaign:
    return replace(Campaign("acme", price=4200, payout=3000, route=Route(max_duration=600_000)), **changes)


def ended(**changes: Any) -> CallRecord:
    """A call that was attributed, and has just ended: nothing is judged yet."""
    fresh = {
        "durations_ms": Durations(connected=95_000),
        "qualification": None,
        "money": Money("USD", 0, 0, reserved=9999),
        "events": [],
    }
    return make_call(**(fresh | changes))


def judged(under: Campaign, record: CallRecord) -> CallRecord:
    """The record, with its verdict and its money."""
    assess(record, under, facts_of(record, under, NEW_YORK, "America/New_York", {}), NOWHERE)
    return record


def attribution(under: Campaign, source: str | None = "sidebar") -> Attribution:
    return Attribution("plumbing", under, Number("plumbing", "homefix", source), 7)


class TestPinning:
    def test_a_call_is_pinned_to_whose_it_is_its_terms_and_the_most_that_it_can_cost(self) -> None:
        record = CallRecord("id", "+18005550101", None, BEGAN)
        pin(record, attribution(campaign(bonus=(SALE,))), "USD")
        whose = (record.campaign, record.advertiser, record.publisher, record.source, record.terms_version)
        assert whose == ("plumbing", "acme", "homefix", "sidebar", 7)
        assert record.money == Money("USD", 4200, 3000, reserved=4700)
        [event] = record.events
        assert (event.at, event.what) == (BEGAN, "attributed")
        assert event.detail == "campaign plumbing, publisher homefix, source sidebar, terms version 7"

    def test_a_number_without_a_source_has_none(self) -> None:
        record = CallRecord("id", "+18005550101", None, BEGAN)
        pin(record, attribution(campaign(), source=None), "USD")
        assert record.source is None
        assert "source none" in record.events[0].detail

    def test_a_publishers_own_payout_and_a_share_are_known_from_the_start(self) -> None:
        share = Override(payout=Rate(share=5_000))
        record = CallRecord("id", "+18005550101", None, BEGAN)
        pin(record, attribution(campaign(overrides={"homefix": share})), "USD")
        assert record.money is not None and record.money.payout == 2100

    def test_what_depends_on_the_length_is_not_known_yet(self) -> None:
        record = CallRecord("id", "+18005550101", None, BEGAN)
        pin(record, attribution(campaign(price=Rate(per_minute=60), payout=Rate(per_minute=30))), "USD")
        assert record.money == Money("USD", 0, 0, reserved=600)


class TestFacts:
    def test_a_clause_may_look_at_all_that_happened(self) -> None:
        record = ended(
            conversion=Conversion(BEGAN + 500_000, BEGAN + 600_000),
            durations_ms=Durations(115_000, 11_990, 8_000, 95_000),
        )
        under = campaign(screen=Screen(block=(f"{record.ani}",)))
        facts = facts_of(record, under, NEW_YORK, "Asia/Tokyo", {("any", "campaign"): None})
        assert facts.ended_at == facts.judged_at == record.ended_at
        assert (facts.converted_at, facts.told_at) == (BEGAN + 500_000, BEGAN + 600_000)
        assert (facts.started_at, facts.connected_ms, facts.total_ms, facts.wait_ms) == (
            record.started_at,
            95_000,
            115_000,
            8_000,
        )
        assert (facts.answers, facts.place, facts.ani) == (record.answers, NEW_YORK, record.ani)
        assert (facts.timezone, facts.source, facts.blocked_by) == ("Asia/Tokyo", "sidebar", record.ani)
        assert facts.earlier == {("any", "campaign"): None}

    def test_a_call_that_is_judged_again_has_both_moments(self) -> None:
        facts = facts_of(ended(), campaign(), NEW_YORK, "UTC", {}, judged_at=5)
        assert (facts.judged_at, facts.ended_at) == (5, ended().ended_at)

    def test_a_conversion_that_was_told_too_late_is_none(self) -> None:
        late = Conversion(BEGAN + 500_000, BEGAN + 3 * 86_400_000)
        under = campaign(qualify=(Clause(converted_within=86_400_000),))
        assert judged(under, ended(conversion=late)).money == Money("USD", 4200, 3000, 0, 0, 9999)

    def test_who_was_never_connected_talked_for_no_time_at_all(self) -> None:
        facts = facts_of(ended(connected_at=None), campaign(), NEW_YORK, "UTC", {})
        assert (facts.connected_ms, facts.converted_at) == (None, None)


class TestMoney:
    def test_a_qualified_call_comes_to_price_and_payout_and_what_was_reserved_stays(self) -> None:
        assert judged(campaign(), ended()).money == Money("USD", 4200, 3000, 4200, 3000, 9999)

    def test_a_call_that_does_not_qualify_comes_to_the_same_and_moves_nothing(self) -> None:
        under = campaign(qualify=(Clause(connected_at_least=96_000),))
        assert judged(under, ended()).money == Money("USD", 4200, 3000, 0, 0, 9999)

    def test_a_bonus_that_is_earned_is_added_and_one_that_is_not_is_not(self) -> None:
        longer = replace(LONG, name="longer", when=(Clause(connected_at_least=96_000),))
        assert judged(campaign(bonus=(LONG, longer)), ended()).money == Money(
            "USD", 4300, 3070, 4300, 3070, 9999
        )

    def test_the_minutes_of_the_conversation_are_paid_for_each_party(self) -> None:
        under = campaign(price=Rate(per_minute=120), payout=Rate(per_minute=60, increment=6_000))
        assert judged(under, ended()).money == Money("USD", 240, 96, 240, 96, 9999)

    def test_a_share_is_one_of_the_price_with_its_bonuses(self) -> None:
        under = campaign(payout=Rate(share=5_000), bonus=(LONG,))
        assert judged(under, ended()).money == Money("USD", 4300, 2220, 4300, 2220, 9999)

    def test_a_bonus_that_waits_is_a_part_of_its_own(self) -> None:
        record = judged(campaign(bonus=(SALE,)), ended())
        assert record.qualification is not None
        [part] = record.qualification.late
        assert (part.name, part.due, part.price, part.payout, part.share) == (
            "bonus sale",
            False,
            500,
            300,
            None,
        )
        assert record.money == Money("USD", 4200, 3000, 4200, 3000, 9999)

    def test_a_bonus_that_waits_adds_its_share_within_the_bounds_of_the_whole(self) -> None:
        rate = Rate(share=5_000, minimum=100, maximum=2_200)
        record = judged(campaign(payout=rate, bonus=(SALE,)), ended())
        assert record.qualification is not None
        [part] = record.qualification.late
        assert part.payout == 300 + (2_200 - 2_100)
        assert part.share == ShareOfPrice(5_000, 100, 2_200)

    def test_by_the_minute_no_share_is_kept_for_a_bonus_that_waits(self) -> None:
        record = judged(campaign(payout=Rate(per_minute=60), bonus=(SALE,)), ended())
        assert record.qualification is not None
        [part] = record.qualification.late
        assert (part.payout, part.share) == (300, None)

    def test_a_call_that_waits_as_a_whole_counts_the_bonuses_that_it_would_have(self) -> None:
        under = campaign(qualify=(Clause(converted_within=86_400_000),), bonus=(LONG,))
        assert judged(under, ended()).money == Money("USD", 4300, 3070, 0, 0, 9999)

    def test_a_call_without_money_is_judged_all_the_same(self) -> None:
        record = judged(campaign(), ended(money=None))
        assert record.money is None
        assert record.qualification is not None and record.qualification.qualified

    def test_a_call_is_judged_and_paid_by_what_its_publisher_has_agreed(self) -> None:
        longer = (Clause(connected_at_least=96_000),)
        under = campaign(overrides={"homefix": Override(payout=3100, payout_when=longer)})
        assert judged(under, ended()).money == Money("USD", 4200, 3100, 4200, 0, 9999)

    def test_who_was_never_connected_has_begun_no_minute(self) -> None:
        under = campaign(price=Rate(per_minute=60), qualify=(Clause(total_at_least=1),))
        assert judged(under, ended(connected_at=None)).money == Money("USD", 0, 3000, 0, 0, 9999)

    def test_where_the_caller_was_is_found_in_the_geography(self) -> None:
        geography = Geography({"10001": ("NY", 40.75, -73.99, "America/New_York")}, {})
        here = Place("NY", "10001", "America/New_York", "zip", 40.75, -73.99)
        under = campaign(qualify=(Clause(caller_in=Coverage(zip="10001", radius_miles=5)),))
        record = ended()
        conclude(record, attribution(under), here, "UTC", {}, geography)
        assert record.money is not None and record.money.charged == 4200

    def test_an_overriding_payout_is_paid_to_its_publisher_alone(self) -> None:
        under = campaign(overrides={"homefix": Override(payout=1), "other": Override()})
        assert (payout_rate(under, "homefix"), payout_rate(under, "other")) == (1, 3000)
        assert payout_rate(under, "nobody") == 3000

    def test_the_most_that_a_call_can_come_to(self) -> None:
        under = campaign(price=Rate(per_minute=60), payout=Rate(share=5_000), bonus=(SALE, LONG))
        assert (most_charged(under), most_paid(under, "homefix")) == (600 + 600, 600 + 370)
        by_minute = replace(under, payout=Rate(per_minute=30))
        assert most_paid(by_minute, "homefix") == 300 + 370
        more = replace(by_minute, overrides={"homefix": Override(payout=1_000)})
        assert (most_paid(more, "homefix"), most_paid(more, "other")) == (1_000 + 370, 300 + 370)
        assert (billed_ms(under, 599_999), billed_ms(under, 600_001)) == (599_999, 600_000)


class TestConcluding:
    def conclude(self, record: CallRecord, under: Campaign | None) -> CallRecord:
        found = None if under is None else attribution(under)
        self.transfers = conclude(record, found, NEW_YORK, "UTC", {}, NOWHERE)
        return record

    def test_the_durations_of_a_call_that_was_connected(self) -> None:
        record = self.conclude(ended(), campaign())
        assert record.durations_ms == Durations(115_000, 11_990, 8_000, 95_000)
        assert [transfer.kind for transfer in self.transfers] == ["hold", "void", "post", "post"]
        assert [transfer.at for transfer in self.transfers][1:] == [record.ended_at] * 3

    def test_the_durations_of_a_call_that_was_rung_for_in_vain(self) -> None:
        record = self.conclude(ended(connected_at=None, winner=None, legs=[]), campaign())
        assert (record.durations_ms.ivr, record.durations_ms.wait) == (11_990, 103_000)

    def test_the_durations_of_a_call_that_ended_in_the_menu(self) -> None:
        record = self.conclude(ended(connected_at=None, offered_at=None, legs=[]), campaign())
        assert (record.durations_ms.ivr, record.durations_ms.wait) == (114_990, 0)

    def test_the_durations_of_a_call_that_was_never_answered(self) -> None:
        nobody = ended(connected_at=None, offered_at=None, answered_at=None, legs=[])
        assert self.conclude(nobody, campaign()).durations_ms.ivr == 0

    def test_the_verdict_is_told_at_the_end(self) -> None:
        record = self.conclude(ended(), campaign())
        assert [(event.at, event.what, event.detail) for event in record.events] == [
            (record.ended_at, "judged", "qualified")
        ]

    @pytest.mark.parametrize("disposition", ["blocked", "closed", "capped"])
    def test_a_call_that_was_screened_out_is_not_judged(self, disposition: str) -> None:
        record = self.conclude(ended(disposition=disposition, legs=[]), campaign())
        assert (record.qualification, record.events, self.transfers) == (None, [], [])

    def test_a_call_of_nobody_is_not_judged(self) -> None:
        assert self.conclude(ended(money=None, legs=[]), None).qualification is None

    def test_what_a_rate_does_not_count_is_told(self) -> None:
        record = ended(durations_ms=Durations(connected=601_234))
        self.conclude(record, campaign(price=Rate(per_minute=60)))
        assert [(event.at, event.what, event.detail) for event in record.events][:1] == [
            (record.ended_at, "billed", "600 s of 601.234 s, which is the campaign's max_duration")
        ]

    @pytest.mark.parametrize(
        ("under", "talked_ms"),
        [
            (campaign(price=Rate(per_minute=60)), 600_000),  # not longer than it may be
            (campaign(), 601_234),  # nothing is paid for by the minute
            (campaign(payout=Rate(share=5_000)), 601_234),
        ],
    )
    def test_where_all_is_counted_nothing_is_told(self, under: Campaign, talked_ms: int) -> None:
        record = self.conclude(ended(durations_ms=Durations(connected=talked_ms)), under)
        assert [event.what for event in record.events] == ["judged"]

    def test_a_payout_by_the_minute_is_told_too(self) -> None:
        record = ended(durations_ms=Durations(connected=601_234))
        self.conclude(record, campaign(overrides={"homefix": Override(payout=Rate(per_minute=1))}))
        assert record.events[0].what == "billed"


class TestWords:
    def test_what_failed_is_named(self) -> None:
        under = campaign(qualify=(Clause(connected_at_least=96_000), Clause(total_at_least=10**9)))
        record = judged(under, ended())
        assert in_words(record) == "not qualified: connected_at_least, total_at_least"

    def test_what_is_waited_for_is_named(self) -> None:
        assert in_words(waiting()) == "waits for: converted_within"

    def test_each_part_of_the_money_is_told(self) -> None:
        under = campaign(price_when=(Clause(connected_at_least=96_000),), bonus=(LONG,))
        record = judged(under, ended())
        assert in_words(record) == "qualified, price not due, bonus long due"


@pytest.mark.parametrize(
    ("changes", "awaits"),
    [
        ({}, True),
        ({"disposition": None}, True),
        ({"disposition": "capped"}, False),
        ({"campaign": None}, False),
        ({"ended_at": None}, False),
    ],
)
def test_a_call_awaits_its_verdict_that_is_somebodys_was_let_in_and_is_over(
    changes: dict[str, Any], awaits: bool
) -> None:
    assert awaits_verdict(ended(**changes)) is awaits
    assert not awaits_verdict(make_call(**changes))
