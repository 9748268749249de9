"""A random history of everything that moves calls' money, against which the books are held up.

What reports must say is added up here from the ledger's transfers alone, one by one.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, insert, select

from ari_app.domain.calls.record import CallRecord, ClauseResult, Money, PlaceRecord, Verdict
from ari_app.domain.ledger.bills import BillError, Party, period_of
from ari_app.domain.ledger.corrections import net
from ari_app.domain.ledger.payouts import Run
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer, advertiser_account, publisher_account
from ari_app.domain.reports import reporting
from ari_app.domain.reports.rollups import HOUR_MS, MONEY_SUMS
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls, privacy
from ari_app.store.calls.rebuild import days, rebuild_day
from ari_app.store.calls.spool import Spool
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.tables import terms
from ari_app.store.ledger import ledger
from ari_app.store.money import audit, bills, conversions, disputes, payouts
from ari_app.store.money.corrections import adjust
from ari_app.store.reports import rollups
from tests.samples import make_call, settlement, waiting, with_late_bonus

NEVER = 2**60
FIRST = 1_764_460_800_000  # 2025-11-30: the months change on the second day
DAY_MS = 24 * HOUR_MS
HISTORY_MS = 12 * DAY_MS

HOURS = st.integers(0, 9 * 24)
WITHIN_HOUR = st.sampled_from([0, 1, HOUR_MS // 2, HOUR_MS - 1])
MOMENTS = st.builds(lambda hours, ms: FIRST + hours * HOUR_MS + ms, HOURS, WITHIN_HOUR)
PARTS = st.sampled_from([0, 33, 100])  # per cent
PARTIES = ("campaign", "advertiser", "publisher", "source", "state", "hour_at")


class Market(NamedTuple):
    """A campaign, whose it is, and the money of its calls."""

    campaign: str
    advertiser: str
    money: Money


MARKETS = (
    Market("plumbing", "acme", Money("USD", 4200, 3000)),
    Market("roofing", "acme", Money("JPY", 900, 100)),
    Market("towing", "bolt", Money("USD", 700, 0)),
)
PUBLISHERS = ("homefix", "bluebird")
TERMS = '{"qualify": [{"connected_at_least": "90s"}, {"no_repeat_within": "30d"}]}'

Sums = dict[tuple[str, str], tuple[int, ...]]
"""MONEY_SUMS by a party's id (or an hour) and currency."""


def live_through(new_engine: Callable[[], Engine], histories: int, steps: int) -> None:
    """Lives through so many histories, each in a database of its own. Raises what does not agree."""
    run_state_machine_as_test(
        lambda: Books(new_engine),
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )


class Books(RuleBasedStateMachine):
    """Makes history, and looks at the books whenever it likes."""

    def __init__(self, new_engine: Callable[[], Engine]) -> None:
        super().__init__()
        self.engine = new_engine()
        rows = [
            {"campaign": m.campaign, "version": 1, "fingerprint": "f", "terms_json": TERMS, "created_at": 1}
            for m in MARKETS
        ]
        with writing(self.engine) as connection:
            connection.execute(insert(terms), rows)
        self.calls: dict[str, CallRecord] = {}
        self.repeated: set[str] = set()
        self.steps = 0

    # What happens

    @rule(
        market=st.sampled_from(MARKETS),
        how=st.sampled_from(["paid", "paid", "short", "waits", "bonus waits", "nobody's"]),
        publisher=st.sampled_from(PUBLISHERS),
        source=st.sampled_from([None, "radio"]),
        state=st.sampled_from([None, "NY"]),
        began=MOMENTS,
        lasts_ms=st.sampled_from([1, 100_000, HOUR_MS]),
        again=st.booleans(),
    )
    def save(
        self,
        market: Market,
        how: str,
        publisher: str,
        source: str | None,
        state: str | None,
        began: int,
        lasts_ms: int,
        again: bool,
    ) -> None:
        """A call of any kind ends, and is saved; or twice, as after a commit whose fate was unknown."""
        common = {
            "campaign": market.campaign,
            "advertiser": market.advertiser,
            "publisher": publisher,
            "source": source,
            "place": PlaceRecord(state, None, None, "ani"),
            "started_at": began,
            "connected_at": began + 1,
            "ended_at": began + lasts_ms,
        }
        price, payout = market.money.price, market.money.payout
        paid = replace(market.money, charged=price, paid=payout)
        self.steps += 1
        match how:
            case "paid":
                call = make_call(self.steps, **common, money=paid)
            case "short":
                failed = Verdict(False, [ClauseResult("connected_at_least", False, "too short")])
                call = make_call(self.steps, **common, money=replace(market.money), qualification=failed)
            case "waits":
                call = waiting(self.steps, **common, money=market.money)
            case "bonus waits":
                call = with_late_bonus(self.steps, **common, money=paid)
            case _:
                nothing = dict.fromkeys(
                    ("campaign", "advertiser", "publisher", "source", "money", "connected_at")
                )
                call = make_call(self.steps, **common | nothing, qualification=None, legs=[], winner=None)
        for _ in range(1 + again):
            calls.save(self.engine, [settlement(call)])
        self.calls[call.id] = call

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), later_ms=st.sampled_from([2, HOUR_MS, DAY_MS]))
    def repeat(self, data: st.DataObject, later_ms: int) -> None:
        """The caller of an earlier call calls again, and is caught for nothing but that."""
        first = data.draw(st.sampled_from(sorted(self.calls)))
        record = calls.get(self.engine, first)
        assert record is not None
        if record.ani is None or record.money is None or record.connected_at is None:
            return
        self.steps += 1
        began = record.started_at + later_ms
        said = ClauseResult("no_repeat_within", False, f"{record.ani} was last connected (call {first})")
        call = make_call(
            self.steps,
            **{
                name: getattr(record, name)
                for name in ("ani", "campaign", "advertiser", "publisher", "source", "place")
            },
            started_at=began,
            connected_at=began + 1,
            ended_at=began + 100_000,
            qualification=Verdict(False, [said]),
            money=replace(record.money, charged=0, paid=0),
        )
        calls.save(self.engine, [settlement(call)])
        self.calls[call.id] = call
        self.repeated.add(first)

    @precondition(lambda self: self.repeated)
    @rule(data=st.data(), at=MOMENTS)
    def take_back_what_was_repeated(self, data: st.DataObject, at: int) -> None:
        """The whole charge of a call goes back, so that the calls that only repeated it are charged."""
        call_id = data.draw(st.sampled_from(sorted(self.repeated)))
        left = net(ledger.of_call(self.engine, call_id))
        self.steps += 1
        assert adjust(self.engine, call_id, f"all-{self.steps}", left.price, left.payout, at, "a test call")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), later_ms=st.sampled_from([0, HOUR_MS, 6 * DAY_MS, 8 * DAY_MS]))
    def convert(self, data: st.DataObject, later_ms: int) -> None:
        """A call becomes a sale: in time, or too late."""
        call = self.calls[data.draw(st.sampled_from(sorted(self.calls)))]
        at = (call.ended_at or 0) + later_ms
        conversions.tell(self.engine, [Told(call.id, at, None)], at)

    @rule(now=MOMENTS)
    def give_up_waiting(self, now: int) -> None:
        conversions.expire(self.engine, now + 8 * DAY_MS)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), price_part=PARTS, payout_part=PARTS, at=MOMENTS)
    def adjust(self, data: st.DataObject, price_part: int, payout_part: int, at: int) -> None:
        """A part of what is left of a call's charge and payout is taken back, or all of it."""
        call_id = data.draw(st.sampled_from(sorted(self.calls)))
        left = net(ledger.of_call(self.engine, call_id))
        self.steps += 1
        parts = (left.price * price_part // 100, left.payout * payout_part // 100)
        assert adjust(self.engine, call_id, f"case-{self.steps}", *parts, at, "a bad line")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), part=st.sampled_from([33, 100]), at=MOMENTS)
    def dispute(self, data: st.DataObject, part: int, at: int) -> None:
        """A dispute is opened and accepted, where there is something left to dispute."""
        call_id = data.draw(st.sampled_from(sorted(self.calls)))
        claimed = net(ledger.of_call(self.engine, call_id)).price * part // 100
        if claimed:
            opened = disputes.open_(self.engine, call_id, claimed, NEVER, at, "acme", "a robot")
            disputes.accept(self.engine, opened.id, None, None, at + HOUR_MS, "ops", "")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), now=MOMENTS)
    def erase(self, data: st.DataObject, now: int) -> None:
        """A caller is taken out of the records; the money stays whose it was."""
        call = self.calls[data.draw(st.sampled_from(sorted(self.calls)))]
        if call.ani is not None:
            with tempfile.TemporaryDirectory() as folder:
                privacy.erase_caller(self.engine, Spool(Path(folder)), Path(folder), call.ani, now)

    # What the books say

    @rule(since=HOURS, hours=st.integers(1, 72))
    def a_period_is_reported(self, since: int, hours: int) -> None:
        """Any hours, by every party; and `ledger verify` finds nothing."""
        assert audit.findings(self.engine) == []
        from_at = FIRST + since * HOUR_MS
        self._reports_are_the_ledgers(from_at, from_at + hours * HOUR_MS)

    def teardown(self) -> None:
        try:
            self._reports_are_the_ledgers(FIRST, FIRST + 30 * DAY_MS)
            self._a_rebuild_changes_nothing()
            for month, market, publisher in product(("2025-11", "2025-12"), MARKETS, PUBLISHERS):
                currency = market.money.currency
                self._a_bill_is_the_report(Party("invoice", market.advertiser, "A", currency), month)
                self._a_bill_is_the_report(Party("statement", publisher, "P", currency), month)
            self._payouts_are_the_report()
            assert audit.findings(self.engine) == []
        finally:
            self.engine.dispose()

    def _reports_are_the_ledgers(self, since: int, until: int) -> None:
        moved = list(self._moved(since, until))
        for party in PARTIES:
            assert self._reported(party, since, until) == self._in_ledger(party, moved), party
        groups = rollups.calls_by(self.engine, "campaign", since, until, {})
        whole = reporting.total(reporting.lines(groups, str, Fraction(0))).takings
        for currency in {market.money.currency for market in MARKETS}:
            kept = _effect(moved, EXCHANGE, currency)
            assert whole.get(currency, reporting.Takings()).profit == kept

    def _of(self, party: str, name: str, currency: str, since: int, until: int) -> tuple[int, ...]:
        nothing = (0,) * len(MONEY_SUMS)
        return self._reported(party, since, until).get((name, currency), nothing)

    def _reported(self, party: str, since: int, until: int) -> Sums:
        groups = rollups.calls_by(self.engine, party, since, until, {})
        return _without_zeros(
            {
                (str(line.key), currency): tuple(getattr(taken, name) for name in MONEY_SUMS)
                for line in reporting.lines(groups, str, Fraction(0))
                for currency, taken in line.takings.items()
            }
        )

    def _in_ledger(self, party: str, moved: list[Transfer]) -> Sums:
        found: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(MONEY_SUMS))
        for transfer in moved:
            call = self.calls[transfer.call_id or ""]
            key = _of_party(call, transfer.at, party)
            for n, name in enumerate(MONEY_SUMS):
                found[key, transfer.currency][n] += _adds(transfer, call, name)
        return _without_zeros({key: tuple(sums) for key, sums in found.items()})

    def _moved(self, since: int, until: int) -> Iterator[Transfer]:
        for transfer in ledger.all_transfers(self.engine):
            if transfer.call_id and transfer.kind not in ("hold", "void") and since <= transfer.at < until:
                yield transfer

    def _a_rebuild_changes_nothing(self) -> None:
        before = self._counters()
        for day_at in days(self.engine):
            rebuild_day(self.engine, day_at)
        assert self._counters() == before

    def _counters(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that the rollups hold, but for cells that count nothing."""
        with reading(self.engine) as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(select(table).order_by(*table.primary_key))
                    if any(row[len(table.primary_key) :])
                ]
                for table in rollups.TABLES
            }

    def _a_bill_is_the_report(self, party: Party, month: str) -> None:
        period = period_of(month, "UTC")
        side = ("advertiser", 0) if party.kind == "invoice" else ("publisher", 1)
        reported = self._of(side[0], party.id, party.currency, period.from_at, period.until_at)[side[1]]
        try:
            total = bills.issue(self.engine, party, period, at=NEVER).bill.total
        except BillError as error:
            assert "nothing moved" in str(error) or "there is nothing" in str(error)
            total = 0
        assert total == reported

    def _payouts_are_the_report(self) -> None:
        for currency in {market.money.currency for market in MARKETS}:
            paid = payouts.run(self.engine, Run(f"all-{currency}", NEVER, currency, NEVER, 0, 0))
            amounts = {payout.publisher: payout.amount for payout in paid.payouts}
            for publisher in PUBLISHERS:
                earned = self._of("publisher", publisher, currency, FIRST, FIRST + 30 * DAY_MS)[1]
                assert amounts.get(publisher, 0) == earned


def _of_party(call: CallRecord, at: int, party: str) -> str:
    if party == "hour_at":
        return str(at - at % HOUR_MS)
    return (call.place.state if party == "state" else getattr(call, party)) or ""


def _adds(transfer: Transfer, call: CallRecord, name: str) -> int:
    """What the transfer adds to one of MONEY_SUMS."""
    part, _, side = name.rpartition("_")
    is_charge = side == "revenue"
    account = (
        advertiser_account(call.advertiser or "") if is_charge else publisher_account(call.publisher or "")
    )
    counts = {
        "": True,
        "corrected": transfer.kind == "adjust",
        "later": transfer.kind == "post" and transfer.at != call.ended_at,
    }[part]
    return counts * _effect([transfer], account, transfer.currency) * (-1 if is_charge else 1)


def _effect(transfers: list[Transfer], account: str, currency: str) -> int:
    """What the transfers add to an account."""
    return sum(
        transfer.amount * ((transfer.credit == account) - (transfer.debit == account))
        for transfer in transfers
        if transfer.currency == currency
    )


def _without_zeros(sums: Sums) -> Sums:
    return {key: values for key, values in sums.items() if any(values)}
