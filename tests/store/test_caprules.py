"""What calls use of caps is what their records say: whenever the cap began, and whatever became of reservations."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from ari_app.domain.basics.periods import Per, period
from ari_app.domain.calls.record import CallRecord, Money
from ari_app.domain.caps.counters import Answer, wanted
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import Attribution
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import cap_rules
from ari_app.store.limits import caprules, reservations, spending
from ari_app.store.limits.usage import Usage, usage_of
from ari_app.store.market import marketplaces
from ari_app.store.market.marketplaces import Loaded
from ari_app.store.money import conversions, corrections
from tests.kit.database import migrated
from tests.kit.market import DID, marketplace
from tests.samples import BEGAN, make_call, settlement, unqualified, waiting, with_late_bonus

NOON = BEGAN + 3_600_000
PERS: tuple[Per, ...] = ("day", "month")
COUNTS = [{"max": 100, "basis": basis, "per": "day"} for basis in ("attempts", "connected", "qualified")]
CAPS = [*COUNTS, {"max_amount": "9999.00", "per": "month"}, {"concurrent": 5}]
OWNERS = ("campaigns.plumbing", "advertisers.acme", "publishers.homefix", "destinations.agent-1")


def apply(
    engine: Engine,
    caps: Any = (),
    at: int = NOON,
    owners: Any = OWNERS,
    timezone: str = "UTC",
    **campaign: Any,
) -> None:
    """Puts a marketplace in force, whose owners have these caps. `timezone` is the publisher's."""
    agents = {f"agent-{n}": f"sip:agent-{n}@127.0.0.1" for n in range(1, 5)}
    document = marketplace(agents, campaign=campaign)
    document["publishers"]["homefix"]["timezone"] = timezone
    for owner in owners:
        part, _, name = owner.partition(".")
        document[part][name]["caps"] = list(caps)
    marketplaces.apply(engine, parse(json.dumps(document), "t.yaml"), at)


def hold(engine: Engine, call: CallRecord, loaded: Loaded | None = None) -> None:
    """Reserves what the call may use of caps, by the marketplace in force or this one."""
    there = loaded or marketplaces.load(engine)
    assert there is not None
    market = there.marketplace
    found = Attribution("plumbing", market.campaigns["plumbing"], market.numbers[DID], 1)
    assert call.offered_at is not None
    answer = reservations.reserve(engine, wanted(call.id, market, found, ["agent-1"], call.offered_at))
    assert answer == Answer()


def used(engine: Engine) -> dict[str, int]:
    """What is used of each counter, in the day and the month that the tests are in."""
    zones = "UTC", "America/New_York"
    starts = {period(per, NOON, zone).start for per in PERS for zone in zones}
    return {key: usage.used for (key, _), usage in usage_of(engine, starts).items()}


def in_all(attempts: int, connected: int, qualified: int, price: int, payout: int) -> dict[str, int]:
    """What OWNERS' counters say where each had these calls."""
    found: dict[str, int] = {}
    for kind, name in (("campaign", "plumbing"), ("advertiser", "acme"), ("publisher", "homefix")):
        found |= _of(
            f"{kind}:{name}", attempts, connected, qualified, payout if kind == "publisher" else price
        )
    return found | _of("destination:agent-1", attempts, connected, qualified, price)


def _of(owner: str, attempts: int, connected: int, qualified: int, amount: int) -> dict[str, int]:
    counts = {"attempts": attempts, "connected": connected, "qualified": qualified}
    return {f"{owner}:{basis}:day": n for basis, n in counts.items()} | {f"{owner}:amount:month:USD": amount}


def test_a_cap_that_begins_in_its_period_counts_the_calls_of_before_and_of_after_once(engine: Engine) -> None:
    apply(engine)
    calls.save(engine, [settlement(make_call(1)), settlement(unqualified(2))])
    yesterday = replace(make_call(3), started_at=BEGAN - 2 * 86_400_000, offered_at=BEGAN - 2 * 86_400_000)
    calls.save(engine, [settlement(yesterday)])
    apply(engine, CAPS)
    assert used(engine) == in_all(2, 2, 1, 2 * 4200, 2 * 3000)  # the amount is of the month
    calls.save(engine, [settlement(make_call(4))])
    calls.save(engine, [settlement(make_call(4))])
    assert used(engine) == in_all(3, 3, 2, 3 * 4200, 3 * 3000)


def test_a_cap_that_is_taken_away_and_comes_back_has_missed_nothing(engine: Engine) -> None:
    apply(engine, CAPS)
    calls.save(engine, [settlement(make_call(1))])
    apply(engine, at=NOON + 1)
    calls.save(engine, [settlement(make_call(2))])
    apply(engine, CAPS, at=NOON + 2)
    assert used(engine) == in_all(2, 2, 2, 2 * 4200, 2 * 3000)


def test_a_call_that_waits_for_its_conversion_counts_once_whenever_the_cap_began(engine: Engine) -> None:
    apply(engine)
    early, late = waiting(1), waiting(2)
    calls.save(engine, [settlement(early)])
    apply(engine, CAPS)
    calls.save(engine, [settlement(late)])
    assert used(engine) == in_all(2, 2, 0, 0, 0) | {
        k: 0 for k in used(engine) if k not in in_all(0, 0, 0, 0, 0)
    }
    told_at = (late.ended_at or 0) + 1000
    conversions.tell(engine, [Told(call.id, told_at, None) for call in (early, late)], told_at)
    assert used(engine) == in_all(2, 2, 2, 2 * 4200, 2 * 3000)


@pytest.mark.parametrize("is_before", [True, False], ids=["before the cap", "after it"])
def test_what_is_taken_back_is_room_again(engine: Engine, is_before: bool) -> None:
    apply(engine, () if is_before else CAPS)
    part, whole = make_call(1), make_call(2)
    calls.save(engine, [settlement(part), settlement(whole)])
    corrections.adjust(engine, part.id, "k1", 1200, 500, NOON, "bad line")
    corrections.adjust(engine, whole.id, "k2", 4200, 3000, NOON, "wrong number")
    if is_before:
        apply(engine, CAPS)
    assert used(engine) == in_all(2, 2, 1, 4200 - 1200, 3000 - 500)


def test_what_is_taken_back_of_a_call_before_it_is_decided_does_not_count_then(engine: Engine) -> None:
    apply(engine, CAPS)
    call = with_late_bonus(1)
    calls.save(engine, [settlement(call)])
    corrections.adjust(engine, call.id, "k1", 1200, 500, NOON, "bad line")
    told_at = (call.ended_at or 0) + 1000
    conversions.tell(engine, [Told(call.id, told_at, None)], told_at)
    assert used(engine) == in_all(1, 1, 1, 4200 + 500 - 1200, 3000 + 300 - 500)


def test_a_call_counts_though_its_reservation_expired(engine: Engine) -> None:
    apply(engine, CAPS)
    calls.save(engine, [settlement(make_call(1))])  # as if nothing had ever been reserved for it
    assert used(engine) == in_all(1, 1, 1, 4200, 3000)


def test_a_call_that_waits_counts_in_the_periods_of_its_owners_clock_as_it_is(engine: Engine) -> None:
    apply(engine, CAPS, owners=["publishers.homefix"])
    call = waiting(1)
    hold(engine, call)
    calls.save(engine, [settlement(call)])
    apply(engine, CAPS, owners=["publishers.homefix"], timezone="Asia/Tokyo")
    key = ("publisher:homefix:amount:month:USD", period("month", NOON, "Asia/Tokyo").start)
    assert usage_of(engine, [key[1]])[key] == Usage(0, 3000)
    told_at = (call.ended_at or 0) + 1000
    conversions.tell(engine, [Told(call.id, told_at, None)], told_at)
    assert usage_of(engine, [key[1]])[key] == Usage(3000, 0)


def test_a_call_under_way_counts_in_the_periods_of_its_owners_clock_as_it_is(engine: Engine) -> None:
    """Also one that a switch reserved for by the clock of before."""
    apply(engine, CAPS, owners=["publishers.homefix"])
    held_by = marketplaces.load(engine)
    apply(engine, CAPS, owners=["publishers.homefix"], timezone="Asia/Tokyo")
    hold(engine, make_call(1), held_by)
    calls.save(engine, [settlement(make_call(1))])
    key = ("publisher:homefix:amount:month:USD", period("month", NOON, "Asia/Tokyo").start)
    assert usage_of(engine, [key[1]])[key] == Usage(3000, 0)


def test_an_amount_counts_no_other_currency(engine: Engine) -> None:
    apply(engine, CAPS)
    calls.save(engine, [settlement(make_call(1, money=Money("EUR", 4200, 3000, 4200, 3000)))])
    assert used(engine)["campaign:plumbing:qualified:day"] == 1
    assert used(engine).get("campaign:plumbing:amount:month:USD", 0) == 0


def test_a_call_that_is_being_saved_while_a_cap_begins_counts_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(engine)
    is_written, may_commit, add = threading.Event(), threading.Event(), spending.add

    def wait(*args: Any) -> None:
        add(*args)
        is_written.set()
        assert may_commit.wait(20)

    monkeypatch.setattr(spending, "add", wait)
    saving = threading.Thread(target=calls.save, args=(engine, [settlement(make_call(1))]))
    applying = threading.Thread(target=apply, args=(engine, CAPS))
    saving.start()
    assert is_written.wait(20)
    applying.start()
    applying.join(0.3)  # it waits for the call
    assert applying.is_alive()
    may_commit.set()
    for thread in (saving, applying):
        thread.join(20)
    assert used(engine) == in_all(1, 1, 1, 4200, 3000)


# SQLite, where who writes keeps all others from it


@pytest.fixture
def in_one_file(tmp_path: Path) -> Iterator[Engine]:
    engine = migrated(tmp_path / "callrace.db")
    yield engine
    engine.dispose()


def test_while_a_cap_that_begins_is_counted_calls_are_saved_corrected_and_converted_and_count_once(
    in_one_file: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = in_one_file
    apply(engine)
    early, corrected = waiting(1), make_call(2)
    calls.save(engine, [settlement(early), settlement(corrected)])
    count = caprules.used_so_far

    def meanwhile(*asked: Any) -> Any:
        monkeypatch.undo()
        before = count(*asked)
        calls.save(engine, [settlement(make_call(3))])
        corrections.adjust(engine, corrected.id, "k", 4200, 3000, NOON, "wrong number")
        told_at = (early.ended_at or 0) + 1000
        conversions.tell(engine, [Told(early.id, told_at, None)], told_at)
        assert count(*asked) == before
        return before

    monkeypatch.setattr(caprules, "used_so_far", meanwhile)
    apply(engine, CAPS)
    assert used(engine) == in_all(3, 3, 2, 2 * 4200, 2 * 3000)


def test_a_cap_whose_apply_did_not_come_to_its_end_begins_with_the_next(
    in_one_file: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = in_one_file
    apply(engine)
    calls.save(engine, [settlement(make_call(1))])
    with monkeypatch.context() as broken:
        broken.setattr(caprules, "put", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            apply(engine, CAPS)
    calls.save(engine, [settlement(make_call(2))])
    apply(engine, CAPS, at=NOON + 1)
    calls.save(engine, [settlement(make_call(3))])
    assert used(engine) == in_all(3, 3, 3, 3 * 4200, 3 * 3000)


def test_a_cap_in_force_that_nobody_counted_stays_open_when_nothing_is_applied(in_one_file: Engine) -> None:
    engine = in_one_file
    apply(engine, CAPS)
    with writing(engine) as connection:
        connection.execute(delete(cap_rules))  # as a migration leaves some
    apply(engine, CAPS)
    hold(engine, make_call(1))
