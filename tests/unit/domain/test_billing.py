"""Corrections, disputes and bills, one rule at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest

from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.calls.record import ClauseResult, Money, Part, Verdict
from ari_app.domain.ledger.bills import BillError, period_of, to_issue
from ari_app.domain.ledger.calls import settle
from ari_app.domain.ledger.corrections import CannotCorrect, Net, clawback_for, correct, net
from ari_app.domain.ledger.disputes import (
    NEXT,
    Dispute,
    DisputeError,
    DisputeEvent,
    DisputeState,
    DisputeStep,
    require,
)
from ari_app.domain.ledger.recount import Earlier, late_transfers, no_repeat_after_all, was_only_a_repeat
from ari_app.domain.ledger.transfers import Transfer, partial_reversal, payout
from ari_app.domain.ledger.verification import verify
from tests.samples import BEGAN, make_call, unqualified

CALL = make_call()
ENDED = CALL.ended_at or 0
MOVED = settle(CALL, ENDED)
JUDGED_AGAIN = "a call judged again moves what its terms say"


def rules(*transfers: Transfer) -> set[str]:
    """The rules that these transfers, after the call's own, break."""
    return {finding.rule for finding in verify([*MOVED, *transfers], [CALL], ENDED)}


class TestCorrections:
    def test_a_call_comes_to_what_its_record_says_until_it_is_corrected(self) -> None:
        assert net(MOVED) == Net(4200, 0, 3000, 0)
        assert net(settle(unqualified(), ENDED)) == Net()

    def test_a_correction_names_what_it_takes_back(self) -> None:
        credit, clawback = correct(MOVED, "adjust:k", 1000, 700, ENDED, "bad line")
        assert (credit.key, credit.resolves) == ("adjust:k:price", MOVED[1].key)
        assert (clawback.key, clawback.resolves) == ("adjust:k:payout", MOVED[2].key)
        assert rules(credit, clawback) == set()
        assert net([*MOVED, credit, clawback]) == Net(4200, 1000, 3000, 700)

    def test_a_correction_of_nothing_makes_no_transfer(self) -> None:
        assert correct(MOVED, "adjust:k", 0, 0, ENDED, "bad line") == []

    def test_a_correction_needs_a_reason(self) -> None:
        with pytest.raises(ValueError, match="needs a reason"):
            correct(MOVED, "adjust:k", 1, 0, ENDED, " ")

    def test_what_is_left_can_be_taken_back_and_no_more(self) -> None:
        first = correct(MOVED, "adjust:1", 1000, 0, ENDED, "bad line")
        assert correct([*MOVED, *first], "adjust:2", 3200, 0, ENDED, "all of it")
        with pytest.raises(CannotCorrect, match=r"32\.01 is more than the 32\.00 USD left"):
            correct([*MOVED, *first], "adjust:2", 3201, 0, ENDED, "all of it")

    def test_the_publishers_share_is_rounded_down(self) -> None:
        assert clawback_for(Net(charged=3, paid=2), 1) == 0
        assert clawback_for(Net(charged=3, credited=1, paid=2), 1) == 1
        assert clawback_for(Net(charged=3, credited=2, paid=2, clawed_back=1), 1) == 1

    def test_nothing_is_clawed_back_twice(self) -> None:
        """The publisher was charged more than its share before: it owes nothing more."""
        assert clawback_for(Net(charged=4200, paid=3000, clawed_back=3000), 1000) == 0

    def test_a_free_call_has_nothing_to_claw_back(self) -> None:
        assert clawback_for(Net(paid=3000), 0) == 0


class TestVerification:
    def test_parts_that_are_together_more_than_was_moved(self) -> None:
        parts = [partial_reversal(MOVED[1], f"part-{n}", 2101, ENDED, "a half") for n in range(2)]
        assert rules(parts[0]) == set()
        assert rules(*parts) == {"no more is taken back than was moved"}

    def test_a_payout_of_what_was_earned(self) -> None:
        assert rules(payout("run", "homefix", 3000, "USD", ENDED)) == set()

    def test_a_payout_of_more_than_was_earned(self) -> None:
        assert rules(payout("run", "homefix", 3001, "USD", ENDED)) == {"a payout pays what was earned"}

    def test_a_payout_that_stays_with_us(self) -> None:
        stays = replace(payout("run", "homefix", 3000, "USD", ENDED), credit="exchange")
        assert rules(stays) == {"a payout leaves the exchange"}

    def test_a_call_judged_again_moves_what_its_terms_say(self) -> None:
        repeat = unqualified()
        late = late_transfers(repeat, ENDED, "no repeat")
        moved = settle(repeat, ENDED)
        assert verify([*moved, *late], [repeat], ENDED) == []
        wrong = [replace(late[0], amount=1), late[1]]
        assert {finding.rule for finding in verify([*moved, *wrong], [repeat], ENDED)} == {JUDGED_AGAIN}

    def test_a_call_that_was_paid_is_not_paid_later_too(self) -> None:
        assert rules(*late_transfers(CALL, ENDED, "no repeat")) == {JUDGED_AGAIN}


class TestRepeats:
    FIRST, SECOND = Earlier("first", BEGAN, False), Earlier("second", BEGAN + 100, False)
    REPEAT = make_call(
        1, qualification=Verdict(False, [ClauseResult("no_repeat_within", False, "(call second)")])
    )

    @pytest.mark.parametrize(
        ("earlier", "is_freed"),
        [
            ([FIRST, SECOND], False),
            ([FIRST, replace(SECOND, is_reversed=True)], False),
            ([replace(FIRST, is_reversed=True), SECOND], False),
            ([replace(FIRST, is_reversed=True)], False),  # the one that it repeats is not known yet
            ([replace(FIRST, is_reversed=True), replace(SECOND, is_reversed=True)], True),
            ([replace(FIRST, connected_at=BEGAN - 10_000), replace(SECOND, is_reversed=True)], True),
            ([], False),
        ],
    )
    def test_a_repeat_is_freed_when_all_within_the_window_are_taken_back(
        self, earlier: list[Earlier], is_freed: bool
    ) -> None:
        assert (no_repeat_after_all(self.REPEAT, [(10_000, earlier)]) is not None) is is_freed

    def test_only_a_repeat_is_looked_at_again(self) -> None:
        assert was_only_a_repeat(self.REPEAT)
        assert not was_only_a_repeat(CALL)
        assert not was_only_a_repeat(unqualified())
        assert not was_only_a_repeat(make_call(qualification=None))

    def test_a_side_whose_own_clauses_failed_moves_nothing_later(self) -> None:
        assert self.REPEAT.qualification is not None
        not_paid = replace(self.REPEAT.qualification, parts=[Part("payout", False, [])])
        late = late_transfers(replace(self.REPEAT, qualification=not_paid), ENDED, "no repeat")
        assert [(transfer.credit, transfer.amount) for transfer in late] == [("exchange", 4200)]

    def test_a_call_with_a_bonus_is_left_alone(self) -> None:
        """Its record does not say how much the bonus is."""
        assert self.REPEAT.qualification is not None
        with_bonus = replace(self.REPEAT.qualification, parts=[Part("bonus long", True, [])])
        assert not was_only_a_repeat(replace(self.REPEAT, qualification=with_bonus))

    def test_a_free_call_moves_nothing_later_either(self) -> None:
        assert late_transfers(make_call(money=Money("USD", 0, 0)), ENDED, "no repeat") == []
        assert late_transfers(make_call(money=None), ENDED, "no repeat") == []


class TestDisputes:
    @pytest.mark.parametrize(
        ("state", "what"), list(product((None, *get_args(DisputeState)), get_args(DisputeStep)))
    )
    def test_what_can_happen_is_in_the_table_and_nothing_else_can(
        self, state: DisputeState | None, what: DisputeStep
    ) -> None:
        events = {
            None: [],
            "open": ["opened"],
            "accepted": ["opened", "accepted"],
            "rejected": ["opened", "rejected"],
        }
        steps = tuple(DisputeEvent(step, ENDED, "ann") for step in events[state])  # type: ignore[arg-type]
        dispute = Dispute(7, CALL.id, "acme", "homefix", "USD", steps)
        assert dispute.state == state
        if (state, what) in NEXT:
            require(dispute, what)
        else:
            with pytest.raises(DisputeError, match=f"dispute 7 cannot be {what}"):
                require(dispute, what)

    def test_a_decided_dispute_stays_so(self) -> None:
        assert {before for before, _ in NEXT} == {None, "open"}


class TestPeriods:
    def test_a_month_begins_and_ends_at_midnight_in_its_zone(self) -> None:
        november = period_of("2026-11", "America/New_York")  # the clocks go back in it
        assert (iso(november.from_at), iso(november.until_at)) == (
            "2026-11-01T04:00:00.000Z",
            "2026-12-01T05:00:00.000Z",
        )
        assert iso(period_of("2026-12", "UTC").until_at) == "2027-01-01T00:00:00.000Z"

    @pytest.mark.parametrize(
        "text", ["2026-13", "2026-00", "2026", "26-11", "2026-11-01", "0000-01", "9999-12", ""]
    )
    def test_what_is_no_month_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="expected a month such as 2026-11"):
            period_of(text, "UTC")

    def test_a_month_is_billed_when_it_is_over(self) -> None:
        period = period_of("2026-11", "UTC")
        assert to_issue(period, period.until_at, force_open=False) == period
        with pytest.raises(BillError, match="not over in UTC"):
            to_issue(period, period.until_at - 1, force_open=False)

    def test_a_month_that_is_not_over_is_billed_until_now(self) -> None:
        now = from_iso("2026-11-15")
        assert to_issue(period_of("2026-11", "UTC"), now, force_open=True).until_at == now

    def test_a_month_that_has_not_begun_is_not_billed(self) -> None:
        with pytest.raises(BillError, match="2026-12 has not begun in UTC"):
            to_issue(period_of("2026-12", "UTC"), from_iso("2026-11-15"), force_open=True)
