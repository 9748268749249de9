"""A call that is taken back in whole is no earlier call of a repeat: what only repeated it is judged again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from ari_app.domain.calls.record import CallRecord, ClauseResult, Money, Verdict
from ari_app.domain.ledger.balances import Balance
from ari_app.domain.ledger.corrections import Net, net
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import terms
from ari_app.store.ledger import ledger
from ari_app.store.money import disputes
from ari_app.store.money.corrections import adjust
from tests.samples import BEGAN, make_call, settlement

ANI = "+12125550142"
TERMS = '{"qualify": [{"connected_at_least": "90s"}, {"no_repeat_within": "1h"}]}'
LATER = BEGAN + 86_400_000
HOUR = 3_600  # `n` of make_call counts seconds
CHARGED, NOTHING, TAKEN_BACK = Net(4200, 0, 3000, 0), Net(), Net(4200, 4200, 3000, 3000)

FIRST = make_call(1, ani=ANI)


def repeat(n: int, of: CallRecord, **changes: Any) -> CallRecord:
    """A call that met its terms but that it repeats another."""
    said = f"{ANI} was last connected just before (call {of.id}), within 3600 s"
    clauses = [ClauseResult("connected", True, "yes"), ClauseResult("no_repeat_within", False, said)]
    verdict = Verdict(False, clauses)
    return make_call(
        n, **{"ani": ANI, "qualification": verdict, "money": Money("USD", 4200, 3000), **changes}
    )


SECOND = repeat(200, of=FIRST)
THIRD = repeat(400, of=SECOND)


@pytest.fixture(autouse=True)
def _terms(engine: Engine) -> None:
    row = {"campaign": "plumbing", "version": 1, "fingerprint": "f", "terms_json": TERMS, "created_at": 1}
    with writing(engine) as connection:
        connection.execute(insert(terms), row)


def save(engine: Engine, *records: CallRecord) -> None:
    calls.save(engine, [settlement(record) for record in records])


def take_back(engine: Engine, call: CallRecord) -> None:
    adjust(engine, call.id, call.id, 4200, 3000, LATER, "a test call")


def comes_to(engine: Engine, call: CallRecord) -> Net:
    return net(ledger.of_call(engine, call.id))


def test_the_call_that_repeated_it_is_charged_and_paid_and_says_why(engine: Engine) -> None:
    save(engine, FIRST, SECOND)
    take_back(engine, FIRST)
    assert comes_to(engine, SECOND) == CHARGED
    reasons = {transfer.reason for transfer in ledger.of_call(engine, SECOND.id) if transfer.kind == "adjust"}
    assert reasons == {f"call {FIRST.id} was taken back, so this call is no repeat of it"}
    assert ledger.balances(engine)["publisher:homefix", "USD"] == Balance(3000)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []


def test_an_accepted_dispute_does_the_same(engine: Engine) -> None:
    save(engine, FIRST, SECOND)
    dispute = disputes.open_(engine, FIRST.id, None, 2**60, LATER, "ann", "a robot")
    disputes.accept(engine, dispute.id, None, None, LATER, "bob", "")
    assert comes_to(engine, SECOND) == CHARGED


def test_a_call_that_is_taken_back_in_part_still_counts(engine: Engine) -> None:
    save(engine, FIRST, SECOND)
    adjust(engine, FIRST.id, "k", 4199, 3000, LATER, "nearly all")
    assert comes_to(engine, SECOND) == NOTHING
    adjust(engine, FIRST.id, "rest", 1, 0, LATER, "all")
    assert comes_to(engine, SECOND) == CHARGED


def test_a_call_that_failed_for_something_else_too_stays_unpaid(engine: Engine) -> None:
    failed = repeat(200, of=FIRST)
    assert failed.qualification is not None
    failed.qualification.clauses[0] = ClauseResult("connected_at_least", False, "too short")
    save(engine, FIRST, failed)
    take_back(engine, FIRST)
    assert comes_to(engine, failed) == NOTHING


def test_another_earlier_call_within_the_window_still_makes_it_a_repeat(engine: Engine) -> None:
    """The third repeats the second, which was connected though it was not paid."""
    save(engine, FIRST, SECOND, THIRD)
    take_back(engine, FIRST)
    assert (comes_to(engine, SECOND), comes_to(engine, THIRD)) == (CHARGED, NOTHING)


def test_a_call_charged_later_can_be_taken_back_and_frees_the_next(engine: Engine) -> None:
    save(engine, FIRST, SECOND, THIRD)
    take_back(engine, FIRST)
    take_back(engine, SECOND)
    assert (comes_to(engine, SECOND), comes_to(engine, THIRD)) == (TAKEN_BACK, CHARGED)
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []


def test_the_latest_is_taken_back_first(engine: Engine) -> None:
    """The third call names a second that was paid; both must go before the third is no repeat."""
    second = make_call(200, ani=ANI)
    third = repeat(400, of=second)
    save(engine, FIRST, second, third)
    take_back(engine, second)
    assert comes_to(engine, third) == NOTHING
    take_back(engine, FIRST)
    assert comes_to(engine, third) == CHARGED


def test_an_earlier_call_outside_the_window_does_not_matter(engine: Engine) -> None:
    second = make_call(2 * HOUR, ani=ANI)
    third = repeat(2 * HOUR + 200, of=second)
    save(engine, FIRST, second, third)
    take_back(engine, second)
    assert comes_to(engine, third) == CHARGED


@pytest.mark.parametrize("other", [{"ani": "+12125550199"}, {"campaign": "roofing"}])
def test_calls_of_others_and_to_others_stay_as_they_are(engine: Engine, other: dict[str, Any]) -> None:
    elsewhere = repeat(200, of=FIRST, **other)
    save(engine, FIRST, elsewhere)
    take_back(engine, FIRST)
    assert comes_to(engine, elsewhere) == NOTHING


def test_a_repeat_of_a_call_taken_back_before_is_charged_when_it_is_saved(engine: Engine) -> None:
    """A running switch remembers the first call, and not that it was taken back."""
    save(engine, FIRST)
    take_back(engine, FIRST)
    save(engine, SECOND)
    assert comes_to(engine, SECOND) == CHARGED


def test_a_repeat_of_a_call_that_is_not_saved_yet_stays_a_repeat(engine: Engine) -> None:
    """The one that was taken back is not the one that it repeats."""
    save(engine, FIRST)
    take_back(engine, FIRST)
    save(engine, THIRD)
    assert comes_to(engine, THIRD) == NOTHING


def test_anonymous_callers_are_not_taken_for_one_another(engine: Engine) -> None:
    anonymous = make_call(1, ani=None)
    other = repeat(200, of=anonymous, ani=None)
    save(engine, anonymous, other)
    take_back(engine, anonymous)
    assert comes_to(engine, other) == NOTHING


def test_two_that_are_taken_back_at_once_free_the_next_once(engine: Engine) -> None:
    second = make_call(200, ani=ANI)
    third = repeat(400, of=second)
    save(engine, FIRST, second, third)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda call: take_back(engine, call), (FIRST, second)))
    assert comes_to(engine, third) == CHARGED


# Clauses that count other calls


def under(engine: Engine, rule: str) -> CallRecord:
    """A repeat of the first call, under terms with this repeat clause."""
    text = f'{{"qualify": [{{"no_repeat_within": {rule}}}]}}'
    row = {"campaign": "plumbing", "version": 2, "fingerprint": "g", "terms_json": text, "created_at": 2}
    with writing(engine) as connection:
        connection.execute(insert(terms), row)
    return repeat(200, of=FIRST, terms_version=2)


@pytest.mark.parametrize(
    ("scope", "other", "is_charged"),
    [
        ("campaign", {"campaign": "roofing"}, False),
        ("advertiser", {"campaign": "roofing"}, True),
        ("advertiser", {"campaign": "roofing", "advertiser": "bolt"}, False),
        ("destination", {"campaign": "roofing", "advertiser": "bolt"}, True),
        ("destination", {"winner": "agent-2"}, False),
    ],
)
def test_a_clause_counts_the_calls_of_its_scope(
    engine: Engine, scope: str, other: dict[str, str], is_charged: bool
) -> None:
    second = under(engine, f'{{"window": "1h", "scope": "{scope}"}}')
    first = make_call(1, ani=ANI, **other)
    save(engine, first, second)
    take_back(engine, first)
    assert comes_to(engine, second) == (CHARGED if is_charged else NOTHING)


def test_a_call_that_was_never_payable_is_none_that_a_clause_of_payable_calls_counts(engine: Engine) -> None:
    second = under(engine, '{"window": "1h", "basis": "qualified"}')
    short = make_call(100, ani=ANI, qualification=Verdict(False, []), money=Money("USD", 4200, 3000))
    save(engine, FIRST, short, second)
    take_back(engine, FIRST)
    assert comes_to(engine, second) == CHARGED


def test_a_caller_is_paid_for_once_in_a_window_whatever_was_taken_back_before(engine: Engine) -> None:
    """The third was no repeat of the first, and is paid: the second would make it one."""
    second = under(engine, '{"window": "1h", "basis": "qualified"}')
    third = make_call(HOUR + 100, ani=ANI)
    save(engine, FIRST, second, third)
    take_back(engine, FIRST)
    assert (comes_to(engine, second), comes_to(engine, third)) == (NOTHING, CHARGED)
    take_back(engine, third)
    assert (comes_to(engine, second), comes_to(engine, third)) == (CHARGED, TAKEN_BACK)


def test_a_repeat_of_any_call_stays_one(engine: Engine) -> None:
    second = under(engine, '{"window": "1h", "basis": "any"}')
    save(engine, FIRST, second)
    take_back(engine, FIRST)
    assert comes_to(engine, second) == NOTHING
