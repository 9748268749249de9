"""What one call moves, how balances follow, and that verification finds each thing that can be wrong."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from ari_app.domain.calls.record import CallRecord, Money
from ari_app.domain.ledger.balances import Balance, balances, charged_and_paid, statement
from ari_app.domain.ledger.calls import HOLD_EXPIRES_MS, awarded_at, rest_key, settle
from ari_app.domain.ledger.transfers import Transfer, deposit, payout, reversal
from ari_app.domain.ledger.verification import verify
from tests.samples import BEGAN, make_call, unqualified

CALL = make_call()
ENDED = CALL.ended_at or 0
HOLD, POST, PAYOUT = settle(CALL, ENDED)
DEPOSIT = deposit("payment-1", "acme", 10_000, "USD", at=BEGAN)


def found(
    transfers: Sequence[Transfer], calls: Sequence[CallRecord] = (CALL,), now: int = ENDED
) -> set[tuple[str, str]]:
    """What verification finds: the rule and what it is about."""
    return {(finding.rule, finding.about) for finding in verify(transfers, calls, now)}


class TestSettling:
    def test_a_qualified_call_holds_and_posts_its_price_and_pays_its_payout(self) -> None:
        assert [(t.kind, t.debit, t.credit, t.amount) for t in (HOLD, POST, PAYOUT)] == [
            ("hold", "advertiser:acme", "exchange", 4200),
            ("post", "advertiser:acme", "exchange", 4200),
            ("post", "exchange", "publisher:homefix", 3000),
        ]
        assert POST.resolves == HOLD.key

    def test_a_call_that_did_not_qualify_voids_its_hold_and_pays_nothing(self) -> None:
        assert [transfer.kind for transfer in settle(unqualified(), ENDED)] == ["hold", "void"]

    def test_a_post_and_a_void_of_one_call_have_the_same_key(self) -> None:
        assert settle(unqualified(), ENDED)[1].key == POST.key

    def test_the_hold_is_as_old_as_the_award(self) -> None:
        assert HOLD.at == awarded_at(CALL) == CALL.legs[0].accepted_at
        assert POST.at == ENDED

    def test_a_call_offered_again_holds_once_from_its_first_award(self) -> None:
        vanished = replace(CALL.legs[0], outcome="failed", accepted_at=BEGAN + 1)
        again = make_call(legs=[vanished, *CALL.legs])
        transfers = settle(again, ENDED)
        assert [transfer.kind for transfer in transfers] == ["hold", "post", "post"]
        assert transfers[0].at == BEGAN + 1

    def test_a_call_that_was_never_awarded_moves_nothing(self) -> None:
        only_a_loser = make_call(legs=[CALL.legs[1]], qualification=None)
        assert settle(only_a_loser, ENDED) == []

    def test_a_call_without_terms_moves_nothing(self) -> None:
        assert settle(make_call(money=None), ENDED) == []

    def test_an_amount_of_zero_makes_no_transfer(self) -> None:
        assert settle(make_call(money=Money("USD", 0, 0)), ENDED) == []
        assert [t.key for t in settle(make_call(money=Money("USD", 0, 3000)), ENDED)] == [PAYOUT.key]
        assert [t.key for t in settle(make_call(money=Money("USD", 4200, 0)), ENDED)] == [HOLD.key, POST.key]

    def test_a_call_that_could_cost_more_holds_the_most_and_is_charged_what_it_came_to(self) -> None:
        call = make_call(money=Money("USD", 4200, 3000, 4200, 3000, reserved=24_000))
        transfers = settle(call, ENDED)
        assert [(t.kind, t.amount) for t in transfers] == [
            ("hold", 24_000),
            ("void", 19_800),
            ("post", 4200),
            ("post", 3000),
        ]
        assert balances(transfers)["advertiser:acme", "USD"] == Balance(-4200)
        assert found(transfers, [call]) == set()

    def test_a_call_that_came_to_nothing_releases_all_that_was_set_aside(self) -> None:
        call = make_call(money=Money("USD", 0, 0, reserved=24_000))
        assert [(t.kind, t.amount) for t in settle(call, ENDED)] == [("hold", 24_000), ("void", 24_000)]

    def test_what_was_charged_and_paid_is_read_from_the_transfers(self) -> None:
        assert charged_and_paid([HOLD, POST, PAYOUT]) == (4200, 3000)
        assert charged_and_paid(settle(unqualified(), ENDED)) == (0, 0)


class TestBalances:
    def test_a_hold_moves_nothing_yet(self) -> None:
        assert balances([DEPOSIT, HOLD]) == {
            ("world", "USD"): Balance(-10_000),
            ("advertiser:acme", "USD"): Balance(10_000, -4200),
            ("exchange", "USD"): Balance(0, 4200),
        }

    def test_what_is_held_is_not_available_and_what_is_expected_neither(self) -> None:
        after = balances([DEPOSIT, HOLD])
        assert after["advertiser:acme", "USD"].available == 5800
        assert after["exchange", "USD"].available == 0

    def test_a_post_moves_what_was_held(self) -> None:
        after = balances([DEPOSIT, HOLD, POST, PAYOUT])
        assert after["advertiser:acme", "USD"] == Balance(5800)
        assert after["publisher:homefix", "USD"] == Balance(3000)
        assert after["exchange", "USD"] == Balance(1200)

    def test_a_void_gives_back_what_was_held(self) -> None:
        after = balances([DEPOSIT, *settle(unqualified(), ENDED)])
        assert after["advertiser:acme", "USD"] == Balance(10_000)

    def test_currencies_are_kept_apart(self) -> None:
        after = balances([DEPOSIT, deposit("payment-2", "acme", 5, "EUR", at=BEGAN)])
        assert after["advertiser:acme", "EUR"] == Balance(5)
        assert after["advertiser:acme", "USD"] == Balance(10_000)

    def test_a_statement_follows_one_account(self) -> None:
        lines = statement("publisher:homefix", [DEPOSIT, HOLD, POST, PAYOUT])
        assert [(line.transfer, line.after) for line in lines] == [(PAYOUT, Balance(3000))]

    def test_a_statement_is_in_order_of_time(self) -> None:
        later = deposit("payment-2", "acme", 700, "USD", at=ENDED + 1)
        lines = statement("advertiser:acme", [DEPOSIT, later, HOLD, POST, PAYOUT])
        assert [line.transfer for line in lines] == [DEPOSIT, HOLD, POST, later]
        assert [line.after for line in lines] == [
            Balance(10_000),
            Balance(10_000, -4200),
            Balance(5800),
            Balance(6500),
        ]


class TestReversals:
    def test_a_reversal_takes_the_money_back_and_says_why(self) -> None:
        back = reversal(POST, ENDED + 1, "the caller was an agent")
        assert balances([DEPOSIT, HOLD, POST, back])["advertiser:acme", "USD"] == Balance(10_000)
        assert back.reason == "the caller was an agent"

    def test_a_transfer_is_reversed_under_one_key(self) -> None:
        assert reversal(POST, 1, "a").key == reversal(POST, 2, "b").key

    def test_a_reversal_without_a_reason_is_refused(self) -> None:
        with pytest.raises(ValueError, match="needs a reason"):
            reversal(POST, ENDED, " ")

    def test_what_moved_nothing_cannot_be_reversed(self) -> None:
        with pytest.raises(ValueError, match="is a hold"):
            reversal(HOLD, ENDED, "a mistake")
        with pytest.raises(ValueError, match="is a void: it moved nothing that could be taken back"):
            reversal(settle(unqualified(), ENDED)[1], ENDED, "a mistake")

    def test_a_reversal_belongs_to_the_call_and_the_terms_of_what_it_takes_back(self) -> None:
        back = reversal(POST, ENDED + 1, "the caller was an agent")
        assert (back.kind, back.at, back.call_id, back.terms_version) == ("adjust", ENDED + 1, CALL.id, 1)
        assert (back.resolves, back.amount, back.currency) == (POST.key, 4200, "USD")

    def test_what_is_posted_of_a_hold_takes_nothing_back(self) -> None:
        more = [HOLD, replace(POST, amount=HOLD.amount + 1), PAYOUT]
        assert "no more is taken back than was moved" not in {rule for rule, _ in found(more)}

    def test_the_rest_of_a_hold_has_a_key_of_its_own_beside_it(self) -> None:
        assert rest_key(HOLD.key) == HOLD.key.removesuffix("hold") + "rest"


class TestDepositsAndPayouts:
    def test_a_deposit_is_one_payment_of_an_advertiser(self) -> None:
        assert deposit("p1", "acme", 500, "EUR", 7) == Transfer(
            "deposit:p1", "deposit", "world", "advertiser:acme", 500, "EUR", 7
        )
        assert deposit("p1", "acme", 500, "EUR", 7, "wire").reason == "wire"

    def test_a_payout_is_one_run_to_a_publisher(self) -> None:
        assert payout("may", "homefix", 500, "EUR", 7) == Transfer(
            "payout:may:homefix",
            "payout",
            "publisher:homefix",
            "world",
            500,
            "EUR",
            7,
            reason="payout run may",
        )


class TestVerification:
    def test_a_true_ledger_has_no_findings(self) -> None:
        corrected = [DEPOSIT, HOLD, POST, PAYOUT, reversal(PAYOUT, ENDED, "a test call")]
        assert verify(corrected, [CALL], ENDED) == []

    def test_a_true_ledger_of_an_unqualified_call_has_no_findings(self) -> None:
        assert verify(settle(unqualified(), ENDED), [unqualified()], ENDED) == []

    def test_a_key_used_twice(self) -> None:
        assert found([HOLD, POST, PAYOUT, DEPOSIT, DEPOSIT]) == {("keys are unique", DEPOSIT.key)}

    def test_an_amount_that_is_not_positive(self) -> None:
        assert found([HOLD, POST, PAYOUT, replace(DEPOSIT, amount=-5)]) == {
            ("amounts are positive", DEPOSIT.key)
        }

    def test_a_transfer_from_an_account_to_itself(self) -> None:
        assert found([HOLD, POST, PAYOUT, replace(DEPOSIT, debit=DEPOSIT.credit)]) == {
            ("accounts differ", DEPOSIT.key)
        }

    def test_an_adjustment_without_a_reason(self) -> None:
        mute = replace(reversal(POST, ENDED, "x"), reason="")
        assert found([HOLD, POST, PAYOUT, mute]) == {("an adjustment has a reason", mute.key)}

    def test_a_void_of_nothing(self) -> None:
        void = replace(DEPOSIT, key="void", kind="void")
        assert found([HOLD, POST, PAYOUT, void]) >= {("a void ends a hold", "void")}

    def test_a_post_of_a_hold_that_is_not_there(self) -> None:
        assert found([POST, PAYOUT]) == {("what is resolved or reversed exists and agrees", POST.key)}

    def test_a_post_of_something_that_is_no_hold(self) -> None:
        wrong = replace(POST, resolves=PAYOUT.key)
        assert ("what is resolved or reversed exists and agrees", POST.key) in found([HOLD, wrong, PAYOUT])

    @pytest.mark.parametrize(
        "change",
        [{"amount": 1}, {"currency": "EUR"}, {"debit": "publisher:homefix"}, {"credit": "publisher:homefix"}],
    )
    def test_a_post_that_is_not_the_money_held(self, change: dict[str, object]) -> None:
        wrong = replace(POST, **change)  # type: ignore[arg-type]
        assert ("what is resolved or reversed exists and agrees", POST.key) in found([HOLD, wrong, PAYOUT])

    def test_a_reversal_that_moves_the_money_on(self) -> None:
        wrong = replace(reversal(POST, ENDED, "x"), debit=POST.debit, credit=POST.credit)
        assert found([HOLD, POST, PAYOUT, wrong]) == {
            ("what is resolved or reversed exists and agrees", wrong.key)
        }

    def test_a_hold_resolved_twice(self) -> None:
        void = replace(POST, key="another", kind="void")
        assert found([HOLD, POST, PAYOUT, void]) >= {("a hold ends once", HOLD.key)}

    def test_more_released_than_was_held_with_what_was_charged(self) -> None:
        rest = replace(POST, key=rest_key(HOLD.key), kind="void", amount=1)
        assert found([HOLD, POST, PAYOUT, rest]) >= {
            ("what is resolved or reversed exists and agrees", POST.key)
        }

    def test_a_hold_open_for_too_long(self) -> None:
        awarded_only = unqualified()
        late = HOLD.at + HOLD_EXPIRES_MS
        assert found([HOLD], [awarded_only], late) == {("holds are resolved in time", HOLD.key)}
        assert found([HOLD], [awarded_only], late - 1) == set()

    def test_a_transfer_of_a_call_that_does_not_exist(self) -> None:
        assert found([HOLD, POST, PAYOUT], calls=[]) == {
            ("a transfer's call exists", transfer.key) for transfer in (HOLD, POST, PAYOUT)
        }

    def test_a_transfer_under_other_terms_than_its_call(self) -> None:
        assert found([HOLD, POST, replace(PAYOUT, terms_version=2)]) == {("terms agree", PAYOUT.key)}

    def test_a_transfer_to_somebody_who_is_no_party_to_the_call(self) -> None:
        wrong = replace(PAYOUT, credit="publisher:mallory")
        assert found([HOLD, POST, wrong]) == {("accounts agree", PAYOUT.key)}

    def test_a_qualified_call_that_was_not_posted(self) -> None:
        assert found([HOLD]) == {
            ("the record and the ledger agree", CALL.id),
            ("a call moves what its verdict says", CALL.id),
        }

    def test_a_qualified_call_whose_record_hides_that_it_was_not_paid(self) -> None:
        hidden = make_call(money=Money("USD", 4200, 3000, charged=4200, paid=0))
        assert found([HOLD, POST], [hidden]) == {("a call moves what its verdict says", CALL.id)}

    def test_an_unqualified_call_that_was_posted(self) -> None:
        assert found([HOLD, POST, PAYOUT], [unqualified()]) == {
            ("the record and the ledger agree", CALL.id),
            ("a call moves what its verdict says", CALL.id),
        }

    def test_a_record_that_says_another_sum_than_the_ledger(self) -> None:
        lying = make_call(money=Money("USD", 4200, 3000, charged=4200, paid=1))
        assert found([HOLD, POST, PAYOUT], [lying]) == {("the record and the ledger agree", CALL.id)}

    def test_a_call_that_costs_more_than_was_reserved_for_it(self) -> None:
        dear = make_call(money=Money("USD", 4200, 3000, charged=4200, paid=3000, reserved=4199))
        assert found([HOLD, POST, PAYOUT], [dear]) == {
            ("no call costs more than was reserved for it", CALL.id)
        }

    def test_a_hold_for_a_call_that_nobody_accepted(self) -> None:
        nobody = make_call(legs=[], qualification=None, money=Money("USD", 4200, 3000))
        assert found(settle(unqualified(), ENDED), [nobody]) == {
            ("only an awarded call holds money", CALL.id)
        }
