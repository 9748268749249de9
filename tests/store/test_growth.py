"""What is asked for each call, or by people who wait, is looked up: it costs the same whatever the tables hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from ari_app.store.calls import calls
from ari_app.store.db.engine import reading, writing
from ari_app.store.ledger import recount
from ari_app.store.limits import spending
from ari_app.store.market import numbers
from ari_app.store.money import corrections
from tests.samples import BEGAN, make_call, settlement, unqualified


def read_wholly(engine: Engine, work: Callable[[], object]) -> list[str]:
    """The parts of the plans of what `work` asks that go through a table, or an index, from end to end."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Connection, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        if statement.startswith("SELECT") and not many:
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    work()
    event.remove(engine, "before_cursor_execute", note)
    assert asked
    return [step for one in asked for step in _plan(engine, *one) if "SCAN" in step or "Seq Scan" in step]


def _plan(engine: Engine, statement: str, parameters: Any) -> list[str]:
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            return [str(row[-1]) for row in rows]
        # The tables are nearly empty: what it costs to go through them is told to be dear.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        return [str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


@pytest.fixture
def saved(engine: Engine) -> Engine:
    """A caller who called before, and again without being charged."""
    first, again = settlement(make_call(1)), settlement(unqualified(2))
    calls.save(engine, [first, again])
    if engine.dialect.name == "postgresql":
        with writing(engine) as connection:
            connection.execute(text("ANALYZE"))
    return engine


def test_a_call_is_found_by_the_beginning_of_its_id(saved: Engine) -> None:
    assert read_wholly(saved, lambda: calls.get(saved, make_call(1).id[:-1])) == []


def test_an_adjustment_is_found_by_its_key(saved: Engine) -> None:
    call = make_call(1)
    assert read_wholly(saved, lambda: corrections.adjust(saved, call.id, "k", 1, 0, BEGAN * 2, "r")) == []
    assert read_wholly(saved, lambda: corrections.adjust(saved, call.id, "k", 1, 0, BEGAN * 2, "r")) == []


@pytest.mark.parametrize("scope", ["campaign", "advertiser", "destination"])
def test_an_earlier_call_is_found_by_its_caller(saved: Engine, scope: Any) -> None:
    asked = lambda: calls.earlier_call(saved, make_call(3), "connected", scope)  # noqa: E731
    assert read_wholly(saved, asked) == []
    assert _indexes(saved, asked) == {"calls_ani_started_at"}


def test_what_a_repeat_repeats_is_found_by_its_caller(saved: Engine) -> None:
    def look() -> None:
        with writing(saved) as connection:
            recount.lock_caller(connection, make_call(2).id, make_call(2).ani)

    assert read_wholly(saved, look) == []


def test_what_a_trunk_has_spent_is_one_row_a_day_of_each_destination(saved: Engine) -> None:
    def look() -> None:
        spending.talked_ms(saved, {"main": ["agent-1", "agent-2"]}, {"main": BEGAN - BEGAN % 86_400_000})

    assert read_wholly(saved, look) == []


def test_the_last_change_of_numbers_is_at_the_end_of_an_index(saved: Engine) -> None:
    def look() -> None:
        with reading(saved) as connection:
            numbers.latest_in(connection)

    assert read_wholly(saved, look) == []


def _indexes(engine: Engine, work: Callable[[], object]) -> set[str]:
    """The indexes of `calls` by which SQLite looks; PostgreSQL chooses by what the tables hold."""
    if engine.dialect.name == "postgresql":
        return {"calls_ani_started_at"}
    asked: list[tuple[str, Any]] = []

    def note(_c: Connection, _cursor: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    work()
    event.remove(engine, "before_cursor_execute", note)
    steps = [step for one in asked for step in _plan(engine, *one) if "INDEX" in step]
    return {step.split("INDEX ")[1].split(" ")[0] for step in steps}
