"""What legs out by a trunk have talked, as its carrier counts it."""

from __future__ import annotations

import importlib
import time

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Engine, delete, select

from ari_app.domain.calls.record import CallRecord
from ari_app.store.calls import calls
from ari_app.store.db import schema, tables
from ari_app.store.db.engine import reading, writing
from ari_app.store.limits import spending
from tests.samples import BEGAN, make_call, settlement

HOUR = 3_600_000
DAY = 24 * HOUR
TODAY = BEGAN - BEGAN % DAY


def talked(engine: Engine, *destinations: str, since: int = TODAY) -> int:
    return spending.talked_ms(engine, {"main": destinations}, {"main": since})["main"]


def test_legs_count_from_their_answer_to_their_end(engine: Engine) -> None:
    call = make_call(1)
    calls.save(engine, [settlement(call)])
    leg = call.legs[0]
    assert leg.ended_at is not None and leg.answered_at is not None
    assert talked(engine, "agent-1") == leg.ended_at - leg.answered_at
    assert talked(engine, "agent-1", "agent-2") > talked(engine, "agent-1")
    assert talked(engine, "agent-9") == 0


def test_a_leg_that_was_not_answered_costs_nothing(engine: Engine) -> None:
    call = make_call(1)
    call.legs[0].answered_at = None
    calls.save(engine, [settlement(call)])
    assert talked(engine, "agent-1") == 0


@pytest.mark.parametrize("length", [HOUR, DAY])
def test_calls_before_the_period_do_not_count(engine: Engine, length: int) -> None:
    now = TODAY + 3 * DAY + 7 * HOUR
    first = now - now % length
    before, within = shifted(1, first - 1), shifted(2, first)
    calls.save(engine, [settlement(before), settlement(within)])
    assert talked(engine, "agent-1", since=first) == of(within)
    assert talked(engine, "agent-1", since=first - length) == of(before) + of(within)
    assert spending.talked_ms(engine, {}, {}) == {}


def test_a_call_counts_once_however_often_it_is_saved(engine: Engine) -> None:
    call = make_call(1)
    calls.save(engine, [settlement(call)])
    calls.save(engine, [settlement(call), settlement(make_call(2))])
    assert talked(engine, "agent-1") == of(call) + of(make_call(2))


def test_calls_of_before_an_upgrade_count(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is carried along is what the calls say."""
    now = int(time.time() * 1000)
    call = shifted(1, now - 1000)
    schema.upgrade(empty)
    calls.save(empty, [settlement(call)])
    carried = kept(empty)
    migration = importlib.import_module("migrations.versions.0012_carried_sums")
    with writing(empty) as connection:
        connection.execute(delete(tables.talked))
    with empty.begin() as connection:
        monkeypatch.setattr(migration, "op", Operations(MigrationContext.configure(connection)))
        migration.fill()
    assert kept(empty) == carried


def kept(engine: Engine) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return sorted(tuple(row) for row in connection.execute(select(tables.talked)))


def of(call: CallRecord) -> int:
    leg = call.legs[0]
    assert leg.ended_at is not None and leg.answered_at is not None
    return leg.ended_at - leg.answered_at


def shifted(n: int, began: int) -> CallRecord:
    """A call that began then."""
    call = make_call(n)
    call.started_at = began
    return call
