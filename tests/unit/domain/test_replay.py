"""Recorded calls under other terms."""

from dataclasses import replace
from types import MappingProxyType

import pytest
import yaml

from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import ClauseResult, Conversion, Money, Verdict
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.corrections import Net
from ari_app.domain.terms.replay import replay, sums
from tests.kit.market import marketplace
from tests.samples import BEGAN, make_call

ANI = "+12125550142"
MINUTE_MS = 60_000
DAY_MS = 86_400_000
NOW = BEGAN + DAY_MS


def terms(*qualify, **campaign):
    document = marketplace({"agent": "sip:a@127.0.0.1:5999"}, qualify=list(qualify), campaign=campaign)
    return parse(yaml.safe_dump(document), "draft.yaml")


def call(n, **changes):
    """The n-th call of one caller, a minute after the one before; it talked for 95 s."""
    record = make_call(n, ani=ANI, **changes)
    later = (n - 1) * MINUTE_MS
    return replace(record, started_at=record.started_at + later, connected_at=record.connected_at + later)


def judged(calls, draft, since=BEGAN, corrected=MappingProxyType({})):
    return list(replay(calls, draft, Geography(), since, NOW, corrected))


def test_the_same_terms_change_nothing():
    (found,) = judged([call(1)], terms({"connected_at_least": "90s"}))
    assert not found.is_changed


def test_a_longer_duration_makes_a_call_unpayable_and_moves_nothing():
    record = call(1)
    (found,) = judged([record], terms({"connected_at_least": "100s"}))
    assert found.is_changed
    assert (found.after.money.charged, found.after.money.paid) == (0, 0)
    assert record.money.charged == 4200  # what is recorded stays as it is


def test_another_price_is_another_sum():
    (_, after) = sums(judged([call(1), call(2)], terms(price="50.00")))["plumbing"]
    assert (after.qualified, after.charged, after.paid) == (2, 10_000, 6_000)


def test_a_call_that_no_longer_qualifies_makes_the_next_one_no_repeat():
    repeat = {"no_repeat_within": {"window": "1d", "basis": "qualified"}}
    short = call(1)
    short.durations_ms.connected = 10_000
    first, second = judged([short, call(2)], terms({"connected_at_least": "90s"}, repeat))
    assert not first.after.qualification.qualified
    assert second.after.qualification.qualified


def test_calls_from_before_are_known_as_earlier_ones_and_not_judged():
    earlier, later = call(1), call(2)
    (found,) = judged([earlier, later], terms({"no_repeat_within": "1d"}), since=later.started_at)
    assert found.before.id == later.id
    assert not found.after.qualification.qualified


def test_a_call_of_another_campaign_or_one_that_was_screened_out_stays():
    other, screened = call(1, campaign="roofing"), call(2, qualification=None)
    assert [found.is_changed for found in judged([other, screened], terms(price="1.00"))] == [False, False]


def test_a_conversion_that_is_known_counts_under_terms_that_ask_for_one():
    sold = call(1, conversion=Conversion(BEGAN + 10 * MINUTE_MS, NOW))
    unsold = call(2)
    first, second = judged([sold, unsold], terms({"converted_within": "1h"}))
    assert (first.after.money.charged, second.after.money.charged) == (4200, 0)
    assert second.after.qualification.waits_until is None  # its hour is over
    (waits,) = judged([unsold], terms({"converted_within": "7d"}))
    assert waits.after.qualification.waits_until is not None


@pytest.mark.parametrize(("told_after_ms", "charged"), [(DAY_MS - 1, 4200), (DAY_MS, 0)])
def test_a_conversion_that_was_told_too_late_changes_nothing(told_after_ms, charged):
    ended_at = call(1).ended_at
    conversion = Conversion(ended_at + MINUTE_MS, ended_at + 60 * MINUTE_MS + told_after_ms)
    (found,) = judged([call(1, conversion=conversion)], terms({"converted_within": "1h"}))
    assert found.after.money.charged == charged


def test_what_was_taken_back_of_a_call_would_be_in_proportion():
    (found,) = judged([call(1)], terms(price="84.00"), corrected={call(1).id: Net(4200, 1000, 3000, 700)})
    assert found.was == (True, 3200, 2300)
    assert found.would_be == (True, 6400, 2300)
    (before, after) = sums([found])["plumbing"]
    assert (before.corrected_charged, before.corrected_paid) == (-1000, -700)
    assert (after.corrected_charged, after.corrected_paid) == (-2000, -700)


def test_a_call_that_was_taken_back_makes_the_next_one_no_repeat():
    draft = terms({"connected_at_least": "90s"}, {"no_repeat_within": "1d"})
    taken_back = {call(1).id: Net(4200, 4200, 3000, 3000)}
    for corrected, charged in (({}, 0), (taken_back, 4200)):
        _, second = judged([call(1), call(2)], draft, corrected=corrected)
        assert second.would_be.charged == charged


def test_a_repeat_that_was_charged_after_all_is_payable_before_and_after():
    """Charged late, when the call that it repeated was taken back: the same terms change nothing."""
    draft = terms({"connected_at_least": "90s"}, {"no_repeat_within": "1d"})
    said = ClauseResult("no_repeat_within", False, f"was last connected (call {call(1).id})")
    repeat = call(2, qualification=Verdict(False, [said]), money=Money("USD", 4200, 3000))
    corrected = {call(1).id: Net(4200, 4200, 3000, 3000), repeat.id: Net(4200, 0, 3000, 0)}
    _, second = judged([call(1), repeat], draft, corrected=corrected)
    assert second.was == second.would_be == (True, 4200, 3000)
    assert not second.is_changed
