"""Where two transactions wait for each other, who is undone does it again; at last it is told so, and not that the
database is away.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, select, text
from sqlalchemy.exc import OperationalError

import ari_app
from ari_app.domain.market.autopause import DAY_MS
from ari_app.store.calls import calls as stored
from ari_app.store.db import engine as way
from ari_app.store.db import schema
from ari_app.store.db.engine import TRIES, open_engine, retried, writing
from ari_app.store.db.errors import DatabaseBusy
from ari_app.store.db.tables import calls
from ari_app.store.ledger import ledger
from ari_app.store.money import corrections, disputes
from tests.samples import BEGAN, make_call, settlement


def in_a_circle(
    url: str, decorated: Callable[[Callable[[list[str]], None]], Callable[[list[str]], None]]
) -> list[str]:
    """Two who lock the same two calls, each first what the other wants next; what those were told who gave up."""
    engine = open_engine(url)
    schema.upgrade(engine)
    both, has_one = [make_call(1), make_call(2)], threading.Barrier(2, timeout=20)
    stored.save(engine, [settlement(call) for call in both])
    busy: list[str] = []

    @decorated
    def lock_in(order: list[str]) -> None:
        with writing(engine) as connection:
            connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            for n, call_id in enumerate(order):
                connection.execute(select(calls.c.id).where(calls.c.id == call_id).with_for_update())
                if n == 0 and not has_met.is_set():
                    has_one.wait()
                    has_met.set()

    def run(order: list[str]) -> None:
        try:
            lock_in(order)
        except DatabaseBusy as error:
            busy.append(str(error))

    has_met = threading.Event()
    ids = [call.id for call in both]
    waiting = [threading.Thread(target=run, args=(order,)) for order in (ids, ids[::-1])]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join(20)
    engine.dispose()
    return busy


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)  # in SQLite who writes has all of it
def test_who_waited_in_a_circle_does_it_again(empty_url: str) -> None:
    assert in_a_circle(empty_url, retried) == []


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)
def test_who_is_undone_and_does_not_try_again_is_told_what_happened(empty_url: str) -> None:
    [told] = in_a_circle(empty_url, lambda as_it_is: as_it_is)
    assert "others changed the same calls or accounts" in told
    assert told.endswith("nothing was done: do it again")


class _Undone(Exception):
    pgcode = "40001"


@pytest.fixture
def undo(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Has the database undo the next transactions, so many, each at its end."""
    monkeypatch.setattr(way, "_PAUSE_S", 0.0)
    left = 0

    def refuse(connection: Connection) -> None:
        nonlocal left
        if left and connection.get_execution_options().get("writes"):
            left -= 1
            raise OperationalError("COMMIT", None, _Undone("could not serialize access"))

    def undo_next(count: int) -> None:
        nonlocal left
        left = count

    event.listen(engine, "commit", refuse)
    return undo_next


def adjust(engine: Engine) -> object:
    return corrections.adjust(engine, make_call(1).id, "k", 1000, 700, BEGAN + 10_000, "a fault")


def accept(engine: Engine) -> object:
    dispute = disputes.open_(engine, make_call(1).id, 1000, DAY_MS, BEGAN + 10_000, "ann", "a fault")
    return disputes.accept(engine, dispute.id, 1000, 700, BEGAN + 10_001, "bob", "")


@pytest.mark.parametrize("use_case", [adjust, accept])
def test_what_the_database_undoes_is_done_again_and_booked_once(
    engine: Engine, undo: Callable[[int], None], use_case: Callable[[Engine], object]
) -> None:
    stored.save(engine, [settlement(make_call(1))])
    undo(TRIES - 1)
    use_case(engine)
    back = [transfer.amount for transfer in ledger.all_transfers(engine) if transfer.kind == "adjust"]
    assert sorted(back) == [700, 1000]


def test_it_is_not_done_again_for_ever(engine: Engine, undo: Callable[[int], None]) -> None:
    stored.save(engine, [settlement(make_call(1))])
    before = list(ledger.all_transfers(engine))
    undo(TRIES)
    with pytest.raises(DatabaseBusy, match=r"do it again$"):
        adjust(engine)
    assert list(ledger.all_transfers(engine)) == before


SEE_TO_IT_THEMSELVES = {
    "calls.save",  # the writer tries again, and the AGI server at its next look
    "reservations.reserve",  # the caller waits for it
    "reservations.give_back",
    "reservations.give_back_losers",
    "reservations.expire",  # a chore
    "rebuild._alone",  # has a lock, and writes nothing
    "changing.changing",  # a part of what is
    "beginning._counted",  # of an apply
    "schema.upgrade",
    "people.accept",  # the person presses again: the link is used when the rest is
    "signin.sign_in_by_link",
    "spool.retry",  # a line alone, in nobody's way
}


def test_whatever_else_writes_is_done_again() -> None:
    once = set()
    for file in Path(ari_app.__file__).parent.glob("**/*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and function.name != "writing":
                asks = any(
                    isinstance(n, ast.Call) and ast.unparse(n.func) == "writing" for n in ast.walk(function)
                )
                if asks and "retried" not in map(ast.unparse, function.decorator_list):
                    once.add(f"{file.stem}.{function.name}")
    assert once == SEE_TO_IT_THEMSELVES
