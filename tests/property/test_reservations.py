"""In any order of calls that reserve, end, are given back or never return, no cap is exceeded.

- `used + reserved` of a counter is never over its limit, and no account below its credit.
- Counters say what a model says that never looks at them.
- When every call is over, nothing is reserved.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from ari_app.domain.basics.periods import Period
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.caps.counters import Claim, Funds, Wanted, use
from ari_app.domain.ledger.transfers import deposit
from ari_app.store.calls import calls
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import account_balances
from ari_app.store.ledger import ledger
from ari_app.store.limits import reservations
from ari_app.store.limits.usage import Usage, usage_of
from tests.kit.database import migrated
from tests.samples import BEGAN, make_call, settlement, unqualified

LIMITS = {
    "advertiser:acme:amount:month:USD": 3 * 4200 + 100,
    "campaign:plumbing:qualified:day": 3,
    "destination:agent-1:connected:day": 2,
    "destination:agent-2:attempts:day": 2,
    "publisher:homefix:concurrent": 2,
}
CREDIT = 4200
PERIOD = Period(0, None)
KEYS = st.sets(st.sampled_from(sorted(LIMITS)))
CALLS = st.integers(1, 8)


@dataclass(frozen=True)
class Held:
    """What one call has reserved."""

    keys: frozenset[str]
    funds: bool


class ReservationsMachine(RuleBasedStateMachine):
    """Drives the stored counters and a model of them."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="callrace-caps-"))
        self.engine = migrated(self.folder / "caps.db")
        ledger.post(self.engine, deposit("1", "acme", 2 * 4200, "USD", BEGAN))
        self.held: dict[int, Held] = {}
        self.used: Counter[str] = Counter()
        self.charged = 0
        self.saved: set[int] = set()

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def room(self, key: str) -> bool:
        reserved = sum(key in held.keys for held in self.held.values()) * _amount(key)
        return self.used[key] + reserved + _amount(key) <= LIMITS[key]

    def money(self) -> bool:
        reserved = sum(held.funds for held in self.held.values()) * 4200
        return 2 * 4200 - self.charged - reserved - 4200 >= -CREDIT

    @rule(calling=st.lists(st.tuples(CALLS, KEYS, st.booleans()), min_size=1, max_size=5))
    def reserve(self, calling: list[tuple[int, set[str], bool]]) -> None:
        for n, keys, funds in calling:
            self.reserve_for(n, keys, funds)

    def reserve_for(self, n: int, keys: set[str], funds: bool) -> None:
        if n in self.saved or n in self.held:
            return
        answer = reservations.reserve(self.engine, _wanted(n, keys, funds))
        theirs = {key for key in keys if key.startswith("destination:")}
        if any(not self.room(key) for key in keys - theirs):
            assert answer.capped
        elif funds and not self.money():
            assert set(answer.left_out) == {"agent-1", "agent-2", "agent-3"}
        else:
            full = {key for key in theirs if not self.room(key)}
            assert set(answer.left_out) == {key.split(":")[1] for key in full}
            self.held[n] = Held(frozenset(keys - full), funds)

    @rule(n=CALLS)
    def reserve_again(self, n: int) -> None:
        if n in self.held:
            held = self.held[n]
            again = reservations.reserve(self.engine, _wanted(n, held.keys, held.funds))
            assert (again.capped, again.left_out) == (None, {})

    @rule(n=CALLS, qualified=st.booleans())
    def settle(self, n: int, qualified: bool) -> None:
        record = make_call(n) if qualified else unqualified(n)
        calls.save(self.engine, [settlement(record)])
        if n not in self.saved:
            self.charged += record.money.charged if record.money else 0
            self.count(n, record)
        self.saved.add(n)

    def count(self, n: int, record: CallRecord) -> None:
        held = self.held.pop(n, Held(frozenset(), False))
        self.used.update({key: use(key, record) for key in held.keys})

    @rule(n=CALLS)
    def give_back(self, n: int) -> None:
        reservations.give_back(self.engine, make_call(n).id)
        self.held.pop(n, None)

    @rule(n=CALLS)
    def release_losers(self, n: int) -> None:
        reservations.give_back_losers(self.engine, make_call(n).id, "agent-9")
        if n in self.held:
            stays = self.held[n].keys - {"destination:agent-1:connected:day"}
            self.held[n] = Held(stays, self.held[n].funds)

    @rule()
    def expire(self) -> None:
        reservations.expire(self.engine, BEGAN)
        self.held.clear()

    @invariant()
    def counters_are_those_of_the_model_and_within_their_limits(self) -> None:
        usage = usage_of(self.engine, [0])
        for key, limit in LIMITS.items():
            found = usage.get((key, 0), Usage(0, 0))
            assert found.used == self.used[key]
            assert found.reserved == sum(key in held.keys for held in self.held.values()) * _amount(key)
            assert found.used + found.reserved <= limit

    @invariant()
    def money_is_reserved_for_each_call_that_needs_it(self) -> None:
        query = select(account_balances).where(account_balances.c.account == "advertiser:acme")
        with reading(self.engine) as connection:
            row = connection.execute(query).one()
        assert row.reserved == sum(held.funds for held in self.held.values()) * 4200
        assert ledger.kept_balances(self.engine) == ledger.balances(self.engine)


def _amount(key: str) -> int:
    return 4200 if ":amount:" in key else 1


def _wanted(n: int, keys: set[str] | frozenset[str], funds: bool) -> Wanted:
    claims = [Claim(key, PERIOD, _amount(key), LIMITS[key], f"{key} is full") for key in sorted(keys)]
    mine = tuple(claim for claim in claims if not claim.key.startswith("destination:"))
    theirs = {
        name: tuple(claim for claim in claims if claim.key.startswith(f"destination:{name}:"))
        for name in ("agent-1", "agent-2", "agent-3")
    }
    money = Funds("advertiser:acme", "USD", 4200, CREDIT, "no funds") if funds else None
    return Wanted(make_call(n).id, mine, money, theirs, BEGAN, BEGAN)


TestReservations = ReservationsMachine.TestCase
TestReservations.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
