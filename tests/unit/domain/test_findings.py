"""What `callrace ledger verify` says of each thing that is wrong: the rule, what it is about, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ari_app.domain.calls.record import CallRecord, Money
from ari_app.domain.ledger.balances import Balance, balances
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS, HOLD_EXPIRES_MS, settle
from ari_app.domain.ledger.transfers import Transfer, deposit, partial_reversal, payout, reversal
from ari_app.domain.ledger.verification import LedgerFinding, verify, verify_kept
from tests.samples import BEGAN, make_call, unqualified, waiting, with_late_bonus

CALL = make_call()
ENDED = CALL.ended_at or 0
HOLD, POST, PAYOUT = SETTLED = settle(CALL, ENDED)
DEPOSIT = deposit("payment-1", "acme", 10_000, "USD", at=BEGAN)
PAID = payout("may", "homefix", 3000, "USD", ENDED + 1)
BACK = reversal(POST, ENDED + 1, "the caller was an agent")
VOIDED = settle(unqualified(), ENDED)
AGREES = "what is resolved or reversed exists and agrees"
LATE = replace(reversal(POST, ENDED, "a repeat was taken back"), key="late", resolves=None)


@pytest.mark.parametrize(
    ("transfers", "rule", "about", "detail"),
    [
        ([*SETTLED, DEPOSIT, DEPOSIT], "keys are unique", DEPOSIT.key, "2 transfers have this key"),
        ([replace(DEPOSIT, amount=-5)], "amounts are positive", DEPOSIT.key, "the amount is -5"),
        ([replace(DEPOSIT, amount=0)], "amounts are positive", DEPOSIT.key, "the amount is 0"),
        (
            [replace(DEPOSIT, debit=DEPOSIT.credit)],
            "accounts differ",
            DEPOSIT.key,
            "advertiser:acme is both debit and credit",
        ),
        (
            [*SETTLED, replace(BACK, reason=" ")],
            "an adjustment has a reason",
            BACK.key,
            "no reason is given",
        ),
        (
            [replace(DEPOSIT, key="void", kind="void")],
            "a void ends a hold",
            "void",
            "it names no hold",
        ),
        (
            [*SETTLED, replace(PAID, credit="exchange")],
            "a payout leaves the exchange",
            PAID.key,
            "it went to exchange",
        ),
        ([POST, PAYOUT], AGREES, POST.key, f"there is no transfer {HOLD.key}"),
        (
            [*SETTLED, replace(BACK, resolves=HOLD.key)],
            AGREES,
            BACK.key,
            f"{HOLD.key} is a hold, not a movement",
        ),
        (
            [*VOIDED, replace(BACK, resolves=VOIDED[1].key)],
            AGREES,
            BACK.key,
            f"{VOIDED[1].key} is a void, not a movement",
        ),
        (
            [HOLD, replace(POST, resolves=PAYOUT.key), PAYOUT],
            AGREES,
            POST.key,
            f"{PAYOUT.key} is a post, not a hold",
        ),
        (
            [HOLD, replace(POST, currency="EUR"), PAYOUT],
            AGREES,
            POST.key,
            "4200 EUR from advertiser:acme to exchange does not match "
            f"4200 USD from advertiser:acme to exchange of {HOLD.key}",
        ),
        (
            [*SETTLED, replace(BACK, debit=POST.debit, credit=POST.credit)],
            AGREES,
            BACK.key,
            "4200 USD from advertiser:acme to exchange does not match "
            f"4200 USD from advertiser:acme to exchange of {POST.key}",
        ),
        (
            [*SETTLED, replace(PAYOUT, key="stray", call_id="nobody")],
            "a transfer's call exists",
            "stray",
            "there is no call nobody",
        ),
        (
            [HOLD, POST, replace(PAYOUT, terms_version=2)],
            "terms agree",
            PAYOUT.key,
            "terms version 2, but the call's is 1",
        ),
        (
            [HOLD, POST, replace(PAYOUT, credit="publisher:mallory")],
            "accounts agree",
            PAYOUT.key,
            "publisher:mallory is no party to the call",
        ),
        (
            [*SETTLED, replace(POST, key="again")],
            "a hold ends once",
            HOLD.key,
            "2 transfers resolve it",
        ),
        (
            [*SETTLED, BACK, partial_reversal(POST, "more", 1, ENDED + 1, "once more")],
            "no more is taken back than was moved",
            POST.key,
            "4201 of 4200",
        ),
        (
            [*SETTLED, replace(PAID, amount=3001)],
            "a payout pays what was earned",
            PAID.key,
            "publisher:homefix had 3000, and was paid 3001",
        ),
        (
            [HOLD, POST],
            "the record and the ledger agree",
            CALL.id,
            "the record says charged 4200, paid 3000; the ledger 4200, 0",
        ),
        (
            [HOLD, POST],
            "a call moves what its verdict says",
            CALL.id,
            "qualified, so 4200 and 3000 are due; the ledger moved 4200, 0",
        ),
        (
            [*SETTLED, LATE],
            "a call judged again moves what its terms say",
            CALL.id,
            "4200 was moved by late; the terms say 3000, once",
        ),
    ],
)
def test_what_is_wrong_is_told_with_where_and_how_much(
    transfers: Sequence[Transfer], rule: str, about: str, detail: str
) -> None:
    assert LedgerFinding(rule, about, detail) in verify(transfers, [CALL], ENDED)


@pytest.mark.parametrize(
    ("transfers", "call", "rule", "detail"),
    [
        (
            SETTLED,
            unqualified(),
            "a call moves what its verdict says",
            "not qualified, so 0 and 0 are due; the ledger moved 4200, 3000",
        ),
        (
            SETTLED,
            make_call(money=None, qualification=None),
            "the record and the ledger agree",
            "the record says charged 0, paid 0; the ledger 4200, 3000",
        ),
        (
            SETTLED,
            make_call(money=Money("USD", 4200, 3000, 4200, 3000, reserved=4199)),
            "no call costs more than was reserved for it",
            "4200 was charged, and 4199 reserved",
        ),
        (
            settle(unqualified(), ENDED),
            make_call(legs=[], qualification=None, money=Money("USD", 4200, 3000)),
            "only an awarded call holds money",
            "it was never awarded",
        ),
    ],
)
def test_what_a_call_says_of_its_money_is_told_when_the_ledger_says_another_thing(
    transfers: Sequence[Transfer], call: CallRecord, rule: str, detail: str
) -> None:
    assert LedgerFinding(rule, call.id, detail) in verify(transfers, [call], ENDED)


def test_a_hold_may_stay_open_for_a_day_after_its_award() -> None:
    call = unqualified()
    late = HOLD.at + HOLD_EXPIRES_MS
    assert verify([HOLD], [call], late - 1) == []
    assert verify([HOLD], [call], late) == [
        LedgerFinding("holds are resolved in time", HOLD.key, "open for 24 hours")
    ]


def test_a_hold_of_a_call_that_waits_may_stay_open_until_its_conversion_is_surely_known() -> None:
    call = waiting(days=7)
    transfers = settle(call, call.ended_at or 0)
    late = (call.waits_until or 0) + CONVERSION_GRACE_MS + HOLD_EXPIRES_MS
    assert verify(transfers, [call], late - 1) == []
    [finding] = verify(transfers, [call], late)
    hours = (late - HOLD.at) // 3_600_000
    detail = f"open for {hours} hours: no conversion is waited for any more"
    assert finding == LedgerFinding("holds are resolved in time", HOLD.key, detail, "daily")


def test_a_hold_of_a_call_that_is_not_there_is_told_once_it_is_too_old() -> None:
    rules = {finding.rule for finding in verify([HOLD], [], HOLD.at + HOLD_EXPIRES_MS)}
    assert rules == {"a transfer's call exists", "holds are resolved in time"}


def test_a_call_that_nobody_accepted_may_have_transfers_that_hold_nothing() -> None:
    nobody = make_call(legs=[], qualification=None, money=Money("USD", 4200, 3000))
    rules = {finding.rule for finding in verify(SETTLED[1:], [nobody], ENDED)}
    assert "only an awarded call holds money" not in rules


def test_everything_that_is_wrong_is_told_at_once() -> None:
    rules = [finding.rule for finding in verify([POST, replace(DEPOSIT, amount=-5)], [CALL], ENDED)]
    assert rules == [
        AGREES,
        "amounts are positive",
        "the record and the ledger agree",
        "a call moves what its verdict says",
    ]


def test_of_what_is_taken_back_in_parts_the_sum_counts() -> None:
    parts = [partial_reversal(POST, f"part-{n}", 1400, ENDED, "a dispute") for n in range(3)]
    assert verify([*SETTLED, *parts], [CALL], ENDED) == []


def test_a_payout_after_another_pays_what_is_left() -> None:
    parts = [replace(PAID, key=f"payout:{n}:homefix", amount=1500) for n in range(2)]
    assert verify([*SETTLED, *parts], [CALL], ENDED) == []
    one_more = replace(PAID, key="payout:2:homefix", amount=1)
    assert verify([*SETTLED, *parts, one_more], [CALL], ENDED) == [
        LedgerFinding(
            "a payout pays what was earned", one_more.key, "publisher:homefix had 0, and was paid 1"
        )
    ]


def test_a_payout_pays_what_several_calls_have_earned() -> None:
    other = make_call(2)
    earned = [*SETTLED, *settle(other, other.ended_at or 0)]
    assert verify([*earned, replace(PAID, amount=6000)], [CALL, other], ENDED) == []


def test_what_a_publisher_has_in_one_currency_pays_nothing_in_another() -> None:
    elsewhere = replace(PAID, currency="EUR")
    assert [finding.rule for finding in verify([*SETTLED, elsewhere], [CALL], ENDED)] == [
        "a payout pays what was earned"
    ]


@pytest.mark.parametrize(("price", "payout_due"), [(4200, 3000)])
def test_a_call_judged_again_later_is_charged_and_paid_once_what_its_terms_say(
    price: int, payout_due: int
) -> None:
    call = unqualified()
    charge = replace(LATE, key="late:price", debit="advertiser:acme", credit="exchange", amount=price)
    share = replace(LATE, key="late:payout", debit="exchange", credit="publisher:homefix", amount=payout_due)
    before = settle(call, ENDED)
    assert verify([*before, charge, share], [call], ENDED) == []
    for wrong in (replace(charge, amount=price - 1), replace(share, amount=payout_due + 1)):
        right = share if wrong.key == charge.key else charge
        assert [finding.rule for finding in verify([*before, right, wrong], [call], ENDED)] == [
            "a call judged again moves what its terms say"
        ]


def test_a_late_bonus_has_a_hold_and_a_payout_of_its_own() -> None:
    call = with_late_bonus(price=500, payout=300)
    transfers = settle(call, ENDED)
    held = {transfer.key: transfer.amount for transfer in transfers if transfer.kind == "hold"}
    assert held == {HOLD.key: 4200, f"call:{call.id}:bonus sale:price:hold": 500}
    assert verify(transfers, [call], ENDED) == []


# What is kept at hand


def test_kept_balances_that_are_the_sums_are_right() -> None:
    assert verify_kept(SETTLED, balances(SETTLED)) == []


def test_an_account_that_stands_at_nothing_need_not_be_kept() -> None:
    nothing = {("world", "EUR"): Balance()}
    assert verify_kept(SETTLED, balances(SETTLED) | nothing) == []
    there_and_back = [DEPOSIT, reversal(DEPOSIT, BEGAN, "a mistake")]
    assert verify_kept(there_and_back, {}) == []


def test_a_kept_balance_that_is_wrong_missing_or_nobodys_is_told() -> None:
    kept = balances(SETTLED) | {("advertiser:acme", "USD"): Balance(1), ("world", "EUR"): Balance(0, 7)}
    del kept["publisher:homefix", "USD"]
    rule = "kept balances are the transfers' sums"
    assert verify_kept(SETTLED, kept) == [
        LedgerFinding(rule, "advertiser:acme USD", f"kept {Balance(1)}, the sum is {Balance(-4200)}"),
        LedgerFinding(rule, "publisher:homefix USD", f"kept {Balance()}, the sum is {Balance(3000)}"),
        LedgerFinding(rule, "world EUR", f"kept {Balance(0, 7)}, the sum is {Balance()}"),
    ]
