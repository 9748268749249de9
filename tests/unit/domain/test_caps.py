"""Caps: what a call must reserve, what it has used in the end."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import Exclusion
from ari_app.domain.caps.counters import (
    EXPIRES_AFTER_MS,
    Answer,
    Owner,
    Wanted,
    describe,
    full,
    funds_key,
    funds_of,
    gone,
    is_open,
    measure,
    owners_of,
    rules,
    unchecked,
    use,
    use_corrected,
    wanted,
)
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.corrections import Net
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Cap
from ari_app.domain.market.terms import Rate
from ari_app.domain.routing.race import RacePlan, WavePlan
from ari_app.domain.routing.routing import Decision, leave_out
from ari_app.domain.routing.snapshot import Attribution, attribute, make_snapshot
from tests.kit.market import DID, marketplace
from tests.samples import make_call, unqualified, waiting

AT = from_iso("2026-11-25T02:30:00Z")  # Tuesday evening in New York
AGENTS = {"one": "sip:one@127.0.0.1:5071", "two": "sip:two@127.0.0.1:5072"}


def market(billing: object = None, price: str = "42.00", **caps: list[dict[str, object]]) -> Marketplace:
    """A marketplace whose campaign, advertiser, publisher and destination `one` have these caps."""
    document = marketplace(AGENTS, campaign={"price": price, "payout": "0", "caps": caps.get("campaign", [])})
    document["advertisers"]["acme"] |= {"caps": caps.get("advertiser", [])}
    document["advertisers"]["acme"] |= {"billing": billing} if billing else {}
    document["publishers"]["homefix"] |= {
        "caps": caps.get("publisher", []),
        "timezone": "Asia/Tokyo",
    }
    document["destinations"]["one"] |= {"caps": caps.get("destination", [])}
    return parse(json.dumps(document), "test.yaml")


def attribution(of: Marketplace) -> Attribution:
    found = attribute(make_snapshot(1, of, {"plumbing": 1}, Geography({}, {}), {}), DID, 0)
    assert found is not None
    return found


def wish(of: Marketplace, at: int = AT) -> Wanted:
    return wanted("call", of, attribution(of), AGENTS, at)


# What a call wants


def test_without_caps_and_billing_nothing_is_wanted() -> None:
    assert wish(market()).is_nothing


def test_every_owner_of_a_cap_is_asked() -> None:
    cap: list[dict[str, object]] = [{"max": 5, "per": "day"}]
    found = wish(market(campaign=cap, advertiser=cap, publisher=cap, destination=cap))
    assert [claim.key for claim in found.claims] == [
        "advertiser:acme:qualified:day",
        "campaign:plumbing:qualified:day",
        "publisher:homefix:qualified:day",
    ]
    assert [claim.key for claim in found.destinations["one"]] == ["destination:one:qualified:day"]
    assert found.destinations["two"] == ()


def test_a_publishers_periods_are_in_its_own_time_zone() -> None:
    cap: list[dict[str, object]] = [{"max": 5, "per": "day"}]
    ours, theirs = wish(market(campaign=cap, publisher=cap)).claims
    assert (iso(ours.period.start), iso(theirs.period.start)) == (
        "2026-11-24T05:00:00.000Z",
        "2026-11-24T15:00:00.000Z",
    )


def test_a_cap_of_money_reserves_the_price_and_the_others_one_call() -> None:
    caps: list[dict[str, object]] = [{"max_amount": "100.00", "per": "month"}, {"concurrent": 2}]
    assert [(claim.amount, claim.limit) for claim in wish(market(campaign=caps)).claims] == [
        (4200, 10_000),
        (1, 2),
    ]


def test_a_call_that_costs_nothing_needs_no_money() -> None:
    free = market({"model": "prepaid"}, price="0", campaign=[{"max_amount": "1.00", "per": "day"}])
    assert wish(free).is_nothing


@pytest.mark.parametrize(
    ("billing", "credit", "words"),
    [
        ({"model": "prepaid"}, 0, "advertiser acme has no funds for a call of 42.00 USD"),
        (
            {"model": "postpaid", "credit_limit": "500.00"},
            50_000,
            "advertiser acme has no credit left for a call of 42.00 USD",
        ),
    ],
)
def test_the_price_must_be_covered_by_funds_or_credit(billing: object, credit: int, words: str) -> None:
    funds = wish(market(billing)).funds
    assert funds is not None
    assert (funds.account, funds.amount, funds.credit_limit, funds.words) == (
        "advertiser:acme",
        4200,
        credit,
        words,
    )


def test_a_reservation_expires_a_while_after_the_longest_possible_call() -> None:
    of = market()
    assert wish(of).expires_at == AT + of.campaigns["plumbing"].route.max_duration + EXPIRES_AFTER_MS


# What nobody knows, what is known


def test_when_nobody_knows_only_destinations_without_limits_are_rung() -> None:
    assert set(unchecked(wish(market(destination=[{"concurrent": 1}]))).left_out) == {"one"}


@pytest.mark.parametrize(
    "of",
    [
        market(campaign=[{"concurrent": 1}]),
        market(publisher=[{"max": 1, "per": "total"}]),
        market({"model": "prepaid"}),
        market({"model": "postpaid", "credit_limit": "500.00"}),
    ],
)
def test_when_nobody_knows_a_limited_call_is_offered_to_nobody(of: Marketplace) -> None:
    answer = unchecked(wish(of))
    assert answer == Answer(left_out=dict.fromkeys(AGENTS, "caps could not be checked in 250 ms"))


def test_what_is_used_up_is_known_to_be_full_and_what_is_reserved_is_not() -> None:
    [claim] = wish(market(campaign=[{"max": 2, "per": "day"}])).claims
    counter = (claim.key, claim.period.start)
    assert full([claim], {counter: gone(claim.key, used=1, reserved=1)}) is None
    assert full([claim], {counter: gone(claim.key, used=2, reserved=0)}) == (
        "campaign plumbing has no room left in its cap of 2 qualified calls a day"
    )


def test_a_place_that_is_reserved_is_known_to_be_taken() -> None:
    [claim] = wish(market(campaign=[{"concurrent": 1}])).claims
    assert full([claim], {(claim.key, 0): gone(claim.key, used=0, reserved=1)})


def test_the_period_before_says_nothing_of_this_one() -> None:
    of = market(campaign=[{"max": 1, "per": "day"}])
    [before], [now] = wish(of, AT - 86_400_000).claims, wish(of).claims
    assert full([now], {(before.key, before.period.start): 1}) is None


# What a call has used


@pytest.mark.parametrize(
    ("key", "qualified", "short", "unanswered"),
    [
        ("campaign:plumbing:qualified:day", 1, 0, 0),
        ("campaign:plumbing:connected:day", 1, 1, 0),
        ("publisher:homefix:attempts:day", 1, 1, 1),
        ("advertiser:acme:amount:month:USD", 4200, 0, 0),
        ("campaign:plumbing:concurrent", 0, 0, 0),
        ("destination:agent-1:qualified:day", 1, 0, 0),
        ("destination:agent-1:connected:day", 1, 1, 0),
        ("destination:agent-2:connected:day", 0, 0, 0),
        ("destination:agent-2:amount:day", 0, 0, 0),
        ("destination:agent-2:attempts:day", 1, 1, 1),
        ("destination:agent-9:attempts:day", 0, 0, 0),
        (funds_key("advertiser:acme", "USD"), 0, 0, 0),
    ],
)
def test_a_call_uses_what_its_basis_reached(key: str, qualified: int, short: int, unanswered: int) -> None:
    nobody = replace(unqualified(1), connected_at=None, winner=None)
    assert (use(key, make_call(1)), use(key, unqualified(1)), use(key, nobody)) == (
        qualified,
        short,
        unanswered,
    )


def test_a_call_that_rang_nobody_was_no_attempt() -> None:
    assert use("campaign:plumbing:attempts:day", replace(unqualified(1), legs=[])) == 0


# Words and keys


@pytest.mark.parametrize(
    ("cap", "words"),
    [
        (Cap(max=10, per="day"), "10 qualified calls a day"),
        (Cap(max=1, per="hour", basis="attempts"), "1 offered call an hour"),
        (Cap(max=3, per="total", basis="connected"), "3 connected calls in total"),
        (Cap(max_amount=50_000, per="month"), "500.00 USD a month"),
        (Cap(max_amount=50_000, per="month", currency="JPY"), "50000 JPY a month"),
        (Cap(concurrent=1), "1 call at once"),
        (Cap(concurrent=2), "2 calls at once"),
    ],
)
def test_a_cap_is_told_in_words(cap: Cap, words: str) -> None:
    assert describe(Owner("campaign", "plumbing", "UTC", "USD", (cap,)), cap) == words


def test_a_reservation_of_money_is_told_from_one_of_a_cap() -> None:
    assert funds_of(funds_key("advertiser:acme", "USD")) == ("advertiser:acme", "USD")
    assert funds_of("campaign:plumbing:qualified:day") is None


# Leaving out


def test_a_destination_left_out_is_rung_in_no_wave() -> None:
    plan = RacePlan((WavePlan(("one", "two")), WavePlan(("one",), 12_000)))
    left = leave_out(Decision(plan, [Exclusion("three", "paused")]), {"one": "full"})
    assert [wave.destinations for wave in left.plan.waves] == [("two",), ()]
    assert left.excluded == [Exclusion("three", "paused"), Exclusion("one", "full")]
    assert leave_out(left, {"two": "full"}).nobody


def test_a_publishers_amount_reserves_and_counts_what_it_earns() -> None:
    of = market(publisher=[{"max_amount": "100.00", "per": "day"}])
    share = Rate(share=5000, minimum=500)
    of = replace(of, campaigns={"plumbing": replace(of.campaigns["plumbing"], payout=share)})
    [claim] = wish(of).claims
    assert (claim.key, claim.amount) == ("publisher:homefix:amount:day:USD", 2100)
    assert use(claim.key, make_call(1)) == 3000
    assert use("campaign:plumbing:amount:day:USD", make_call(1)) == 4200


# A call that waits for a conversion


@pytest.mark.parametrize(
    ("key", "is_undecided"),
    [
        ("campaign:plumbing:qualified:day", True),
        ("advertiser:acme:amount:month:USD", True),
        ("publisher:homefix:amount:month:USD", True),
        ("destination:agent-1:qualified:day", True),
        ("destination:agent-2:qualified:day", False),  # it rang, and another won
        ("campaign:plumbing:connected:day", False),
        ("campaign:plumbing:attempts:day", False),
        ("campaign:plumbing:concurrent", False),
        (funds_key("advertiser:acme", "USD"), False),  # a hold of the ledger has it
    ],
)
def test_what_a_waiting_call_counts_in_is_open_where_its_verdict_decides(
    key: str, is_undecided: bool
) -> None:
    assert is_open(key, waiting()) is is_undecided
    assert not is_open(key, make_call())


# A call that was corrected


@pytest.mark.parametrize(
    ("key", "in_part", "whole", "late"),
    [
        ("campaign:plumbing:qualified:day", 1, 0, 1),
        ("campaign:plumbing:connected:day", 1, 1, 1),
        ("campaign:plumbing:attempts:day", 1, 1, 1),
        ("campaign:plumbing:amount:day:USD", 3200, 0, 4200),
        ("publisher:homefix:amount:day:USD", 2000, 0, 3000),
        ("campaign:plumbing:amount:day:EUR", 0, 0, 0),
        ("destination:agent-1:qualified:day", 1, 0, 1),
        ("destination:agent-1:amount:day:USD", 3200, 0, 4200),
        ("destination:agent-2:amount:day:USD", 0, 0, 0),
        ("destination:agent-2:qualified:day", 0, 0, 0),
        ("destination:agent-2:attempts:day", 1, 1, 1),
    ],
)
def test_what_is_taken_back_counts_no_more_and_what_is_charged_late_does(
    key: str, in_part: int, whole: int, late: int
) -> None:
    paid, judged_again = make_call(), unqualified()
    assert use_corrected(key, paid, Net(4200, 1000, 3000, 1000)) == in_part
    assert use_corrected(key, paid, Net(4200, 4200, 3000, 3000)) == whole
    assert use_corrected(key, judged_again, Net(4200, 0, 3000, 0)) == late


def test_a_call_without_money_uses_no_amount() -> None:
    free = make_call(money=None)
    assert use("campaign:plumbing:amount:day:USD", free) == 0
    assert use_corrected("campaign:plumbing:amount:day:USD", free, Net()) == 0


# The rules in force


def test_rules_are_the_caps_that_count_ended_calls_of_every_owner() -> None:
    caps: list[dict[str, object]] = [{"max": 5, "per": "day"}, {"concurrent": 2}]
    of = market(campaign=caps, advertiser=caps, publisher=caps, destination=caps)
    assert [(rule.key, rule.owner, rule.per, rule.timezone) for rule in rules(of)] == [
        ("advertiser:acme:qualified:day", "advertiser:acme", "day", "America/New_York"),
        ("campaign:plumbing:qualified:day", "campaign:plumbing", "day", "America/New_York"),
        ("publisher:homefix:qualified:day", "publisher:homefix", "day", "Asia/Tokyo"),
        ("destination:one:qualified:day", "destination:one", "day", "America/New_York"),
    ]
    assert list(rules(market())) == []


def test_a_call_counts_in_the_period_that_it_was_offered_in_or_began_in() -> None:
    [rule] = rules(market(campaign=[{"max": 5, "per": "month"}]))
    first, before = from_iso("2026-11-01T04:00:00Z"), from_iso("2026-10-01T04:00:00Z")  # in New York
    offered_after = make_call(started_at=first - 1, offered_at=first)
    assert rule.period_of(offered_after).start == first
    assert rule.period_of(replace(offered_after, offered_at=None)).start == before


def test_a_call_counts_in_the_period_that_it_has_reserved_in_unless_that_is_none_any_more() -> None:
    [rule] = rules(market(campaign=[{"max": 5, "per": "month"}]))
    november, october = from_iso("2026-11-01T04:00:00Z"), from_iso("2026-10-01T04:00:00Z")  # in New York
    call = make_call(offered_at=november)
    assert rule.start_for(call, october) == october
    in_utc = from_iso("2026-10-01T00:00:00Z")  # where the owner's clock was
    assert rule.start_for(call, in_utc) == november


def test_a_call_may_count_in_the_caps_of_all_that_it_rang_and_of_whose_it_was() -> None:
    whose = {"advertiser:acme", "campaign:plumbing", "publisher:homefix"}
    assert owners_of(make_call()) == whose | {f"destination:agent-{n}" for n in range(1, 5)}
    nobodys = make_call(campaign=None, advertiser=None, publisher=None, winner=None, legs=[])
    assert owners_of(nobodys) == set()


def test_an_amount_of_another_currency_than_the_calls_reserves_nothing() -> None:
    of = market(advertiser=[{"max_amount": "100.00", "per": "day", "currency": "EUR"}])
    assert wish(of).claims == ()
    assert measure(of.advertisers["acme"].caps[0], "USD") == "amount:day:EUR"


def test_a_call_that_reserved_before_midnight_counts_in_the_day_before() -> None:
    [rule] = rules(market(campaign=[{"max": 5, "per": "day"}]))
    today, yesterday = from_iso("2026-11-03T05:00:00Z"), from_iso("2026-11-02T05:00:00Z")  # in New York
    assert rule.start_for(make_call(offered_at=today), yesterday) == yesterday
