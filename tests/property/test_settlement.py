"""For any terms and any call: the explained clauses imply the verdict, and the verdict the money."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_app.domain.calls.geo import Geography, Place
from ari_app.domain.calls.record import Conversion
from ari_app.domain.ledger.balances import charged_and_paid
from ari_app.domain.ledger.calls import settle
from ari_app.domain.ledger.verification import verify
from ari_app.domain.market.campaigns import Campaign, Route
from ari_app.domain.market.terms import Bonus, Clause, NoRepeat, Override, Rate
from ari_app.domain.terms.conversions import decide
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.settlement import assess, facts_of, most_charged
from tests.samples import BEGAN, make_call

LONGEST_MS = 600_000
clauses = st.lists(
    st.one_of(
        st.builds(Clause, connected_at_least=st.integers(1, LONGEST_MS)),
        st.builds(Clause, total_at_least=st.integers(1, LONGEST_MS)),
        st.builds(Clause, rang_at_least=st.integers(1, 30_000)),
        st.builds(Clause, source_in=st.frozensets(st.sampled_from(["sidebar", "banner"]), min_size=1)),
        st.builds(Clause, no_repeat_within=st.builds(NoRepeat, window=st.integers(1, 10**6))),
        st.builds(Clause, answer_in=st.just({"service": frozenset({"repair"})})),
        st.builds(Clause, converted_within=st.integers(1, 10**6)),
    ),
    max_size=2,
).map(tuple)
amounts = st.integers(0, 10_000)
by_minute = st.builds(Rate, per_minute=amounts, increment=st.integers(1, 60_000))
bounds = st.none() | amounts
shares = st.builds(Rate, share=st.integers(1, 10_000), minimum=bounds, maximum=bounds)
bonuses = st.lists(
    st.builds(
        Bonus, name=st.sampled_from(["long", "local", "sale"]), when=clauses, price=amounts, payout=amounts
    ),
    max_size=3,
    unique_by=lambda bonus: bonus.name,
).map(tuple)
campaigns = st.builds(
    Campaign,
    advertiser=st.just("acme"),
    price=amounts | by_minute,
    payout=amounts | by_minute | shares,
    route=st.just(Route(waves=(), max_duration=LONGEST_MS)),
    qualify=clauses,
    price_when=clauses,
    payout_when=clauses,
    bonus=bonuses,
    overrides=st.just({})
    | st.builds(lambda payout, when: {"homefix": Override(payout, when)}, amounts, clauses),
)


@given(
    campaign=campaigns,
    talked_ms=st.none() | st.integers(0, 2 * LONGEST_MS),  # nobody may have been there to end it
    earlier=st.none() | st.integers(0, 10**6),
    answer=st.sampled_from(["repair", "install"]),
)
@settings(max_examples=300, deadline=None)
def test_the_clauses_imply_the_verdict_and_the_verdict_the_money(campaign, talked_ms, earlier, answer):
    record = make_call(1, answers={"service": answer}, qualification=None)
    record.money.reserved = most_charged(campaign)
    record.connected_at = None if talked_ms is None else record.connected_at
    record.durations_ms.connected = talked_ms or 0
    known = (
        {} if earlier is None else {("connected", "campaign"): EarlierCall("x", record.started_at - earlier)}
    )
    facts = facts_of(record, campaign, Place("NY"), "UTC", known)
    assess(record, campaign, facts, Geography())
    verdict, money = record.qualification, record.money
    assert verdict.qualified is all(clause.passed for clause in verdict.clauses)
    for part in verdict.parts:
        assert part.due is all(clause.passed for clause in part.clauses)
    assert money.charged == (money.price if verdict.is_due("price") else 0)
    assert money.paid == (money.payout if verdict.is_due("payout") else 0)
    if not verdict.qualified:
        assert (money.charged, money.paid) == (0, 0)
    assert money.price + sum(part.price for part in verdict.late) <= most_charged(campaign)
    transfers = settle(record, record.ended_at)
    assert charged_and_paid(transfers) == (money.charged, money.paid)
    assert verify(transfers, [record], BEGAN) == []
    assert sum(one.amount for one in transfers if one.kind == "hold") == most_charged(campaign)


@given(
    campaign=campaigns,
    talked_ms=st.integers(0, 2 * LONGEST_MS),
    converted_ms=st.none() | st.integers(0, 10**6),
    answer=st.sampled_from(["repair", "install"]),
)
@settings(max_examples=300, deadline=None)
def test_a_call_that_waits_comes_to_what_it_would_have_come_to_had_all_been_known(
    campaign, talked_ms, converted_ms, answer
):
    def ended(conversion):
        record = make_call(1, answers={"service": answer}, qualification=None, conversion=conversion)
        record.durations_ms.connected = talked_ms
        record.money.reserved = most_charged(campaign)
        return record

    def judged(record, at):
        assess(record, campaign, facts_of(record, campaign, Place("NY"), "UTC", {}, at), Geography())

    first = ended(None)
    told_at = first.ended_at + 2 * 10**6
    conversion = None if converted_ms is None else Conversion(first.ended_at + converted_ms, told_at)
    judged(first, first.ended_at)
    moved = settle(first, first.ended_at)
    assert verify(moved, [first], first.ended_at) == []
    if first.qualification.waits_until is not None:
        first.conversion = conversion
        there = {transfer.key for transfer in moved}
        moved += [transfer for transfer in decide(first, told_at) if transfer.key not in there]
    at_once = ended(conversion)
    judged(at_once, told_at)
    assert first.money.charged == at_once.money.charged
    assert first.money.paid == at_once.money.paid
    assert first.qualification.qualified is at_once.qualification.qualified
    assert first.qualification.waits_until is None
    assert charged_and_paid(moved) == (first.money.charged, first.money.paid)
    assert verify(moved, [first], told_at) == []


WAITS = Clause(converted_within=10**6)
waiting_bonuses = st.lists(
    st.builds(Bonus, name=st.just("x"), when=st.just((WAITS,)) | st.just(()), price=amounts, payout=amounts),
    min_size=1,
    max_size=4,
).map(lambda its: tuple(replace(bonus, name=f"bonus-{n}") for n, bonus in enumerate(its)))


@given(price=amounts, payout=shares, bonus=waiting_bonuses, is_converted=st.booleans())
@settings(max_examples=300, deadline=None)
def test_late_bonuses_come_to_the_same_share_within_the_same_bounds(price, payout, bonus, is_converted):
    campaign = Campaign("acme", price, payout, route=Route(waves=()), bonus=bonus)

    def judged(conversion, at_ms):
        record = make_call(1, qualification=None, conversion=conversion)
        at = record.ended_at + at_ms
        assess(record, campaign, facts_of(record, campaign, Place("NY"), "UTC", {}, at), Geography())
        return record

    told_at = make_call(1).ended_at + 10**6
    conversion = Conversion(told_at - 1, told_at) if is_converted else None
    late = judged(None, 0)
    if late.waits_until is not None:
        late.conversion = conversion
        moved = decide(late, told_at)
        assert charged_and_paid(moved) == (late.money.charged, late.money.paid)
    at_once = judged(conversion, 2 * 10**6)
    assert (late.money.charged, late.money.paid) == (at_once.money.charged, at_once.money.paid)
