"""Whatever a program sends, a use case takes or refuses it: none of it is a surprise further in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ari_app.cli.expected import EXPECTED
from ari_app.desk import (
    bills,
    calls,
    caps,
    conversions,
    disputes,
    ledger,
    payouts,
    privacy,
    qualify,
    recordings,
    reports,
)
from ari_app.desk.site import Site
from ari_app.domain.calls.selection import Selection
from tests.samples import make_call
from tests.unit.desk.conftest import ADA

CALL = make_call(1).id
UTC = ZoneInfo("UTC")
WORDS = (
    "", " ", "\n", "\0", "a\0b", "\ud800", "x" * 100_000, "'; drop table calls;--", "%", "é", "🦆", "٣", "-1", "1e9",
    "NaN", "+19",
)  # fmt: skip
NUMBERS = (-(2**70), -1, 0, 2**31, 2**63, 10**30)

OF_A_WORD: Mapping[str, Callable[[Site, str], object]] = {
    "calls.whole": calls.whole,
    **{
        f"calls.latest {name}": lambda site, word, name=name: calls.latest(site, 5, Selection(**{name: word}))
        for name in ("did", "ani", "campaign", "source", "disposition", "destination", "counted_as")
    },
    "ledger.statement": ledger.statement,
    "ledger.statement of": lambda site, word: ledger.statement(site, f"advertiser:{word}"),
    **{
        f"ledger.{book.__name__} {name}": lambda site, word, book=book, name=name: book(
            site, ADA, **({"advertiser": "acme", "amount": "1", "key": "k", "reason": "r"} | {name: word})
        )
        for book in (ledger.deposit, ledger.refund)
        for name in ("advertiser", "amount", "key", "reason", "currency")
    },
    **{
        f"ledger.adjust {name}": lambda site, word, name=name: ledger.adjust(
            site, ADA, **({"call_id": CALL, "key": "k", "reason": "r", "price": "-1.00"} | {name: word})
        )
        for name in ("call_id", "key", "reason", "price", "payout")
    },
    **{
        f"disputes.open {name}": lambda site, word, name=name: disputes.open_(
            site, ADA, **({"call_id": CALL, "reason": "r"} | {name: word})
        )
        for name in ("call_id", "reason", "amount")
    },
    "disputes.list": lambda site, word: disputes.list_(site, advertiser=word),
    "bills.draft party": lambda site, word: bills.draft(site, "invoice", word, "2025-11"),
    "bills.draft period": lambda site, word: bills.draft(site, "statement", "homefix", word),
    "bills.draft currency": lambda site, word: bills.draft(site, "invoice", "acme", "2025-11", currency=word),
    "bills.list": lambda site, word: bills.list_(site, "invoice", word),
    "payouts.asked key": lambda site, word: payouts.asked(site, key=word, until=date.max),
    "payouts.asked minimum": lambda site, word: payouts.asked(site, key="k", until=date.min, minimum=word),
    "payouts.get": payouts.get,
    "conversions.post": lambda site, word: conversions.post(site, ADA, word),
    "conversions.post ref": lambda site, word: conversions.post(site, ADA, CALL, ref=word),
    "conversions.import": lambda site, word: conversions.import_(site, ADA, word, "sales.csv"),
    "recordings.delete": lambda site, word: recordings.delete(site, ADA, word, "r"),
    "recordings.delete reason": lambda site, word: recordings.delete(site, ADA, CALL, word),
    "privacy.erase": lambda site, word: privacy.erase(site, ADA, word),
    "caps.standing": lambda site, word: caps.standing(site, owner=word),
    "reports.by": lambda site, word: reports.by(site, word, UTC),  # type: ignore[arg-type]
    "reports.by only": lambda site, word: reports.by(site, "source", UTC, only={"campaign": word}),
    "reports.by a filter": lambda site, word: reports.by(site, "campaign", UTC, only={word: "x"}),
    "reports.by cost": lambda site, word: reports.by(site, "day", UTC, cost_a_minute=word),
    "reports.forensics": lambda site, word: reports.forensics(site, UTC, only={"publisher": word}),
    "reports.forensics a filter": lambda site, word: reports.forensics(site, UTC, only={word: "x"}),
    "qualify.other_terms": lambda site, word: qualify.other_terms(site.settings, word, "f", site.now()),
}
OF_A_NUMBER: Mapping[str, Callable[[Site, int], object]] = {
    "calls.latest": calls.latest,
    "calls.latest since": lambda site, n: calls.latest(site, 5, Selection(since=n)),
    "conversions.latest": conversions.latest,
    "conversions.post at": lambda site, n: conversions.post(site, ADA, CALL, at=n),
    "recordings.latest": recordings.latest,
    "disputes.get": disputes.get,
    "disputes.accept": lambda site, n: disputes.accept(site, ADA, dispute_id=n),
    "disputes.reject": lambda site, n: disputes.reject(site, ADA, dispute_id=n, reason="r"),
    "bills.get": lambda site, n: bills.get(site, "invoice", n),
    "payouts.asked": lambda site, n: payouts.asked(site, key="k", until=date(2025, 1, 1), hold_days=n),
    "privacy.expire": lambda site, n: privacy.expire(site, ADA, n),
    "reports.by since": lambda site, n: reports.by(site, "day", UTC, since=n),
    "reports.by until": lambda site, n: reports.by(site, "day", UTC, until=n),
    "reports.count_day": lambda site, n: reports.count_day(site, ADA, n),
}


@pytest.mark.parametrize("use_case", OF_A_WORD)
def test_an_odd_word_is_taken_or_refused(site: Site, use_case: str) -> None:
    for word in WORDS:
        try:
            OF_A_WORD[use_case](site, word)
        except EXPECTED:
            continue
    assert ledger.verify(site).findings == []


@pytest.mark.parametrize("use_case", OF_A_NUMBER)
def test_an_odd_number_is_taken_or_refused(site: Site, use_case: str) -> None:
    for number in NUMBERS:
        try:
            OF_A_NUMBER[use_case](site, number)
        except EXPECTED:
            continue
    assert ledger.verify(site).findings == []


def test_a_refusal_does_not_repeat_all_that_was_sent(site: Site) -> None:
    for use_case in ("calls.whole", "ledger.deposit amount", "bills.draft period", "reports.by cost"):
        with pytest.raises(EXPECTED) as caught:
            OF_A_WORD[use_case](site, "x" * 100_000)
        assert len(str(caught.value)) < 500
