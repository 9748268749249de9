"""Where two transactions wait for each other, who is undone is told so, and not that the database is away."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text

from ari_app.store import calls as stored
from ari_app.store import schema
from ari_app.store.engine import open_engine, writing
from ari_app.store.errors import DatabaseBusy
from ari_app.store.tables import calls
from tests.samples import make_call, settlement


@pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)  # in SQLite who writes has all of it
def test_who_waited_in_a_circle_is_told_to_do_it_again(empty_url: str) -> None:
    engine = open_engine(empty_url)
    schema.upgrade(engine)
    both, has_one = [make_call(1), make_call(2)], threading.Barrier(2, timeout=20)
    stored.save(engine, [settlement(call) for call in both])
    busy: list[DatabaseBusy] = []

    def lock_in(order: list[str]) -> None:
        try:
            with writing(engine) as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                for n, call_id in enumerate(order):
                    connection.execute(select(calls.c.id).where(calls.c.id == call_id).with_for_update())
                    if n == 0:
                        has_one.wait()
        except DatabaseBusy as error:
            busy.append(error)

    ids = [call.id for call in both]
    waiting = [threading.Thread(target=lock_in, args=(order,)) for order in (ids, ids[::-1])]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join(20)
    engine.dispose()
    [told] = busy
    assert "others changed the same calls or accounts" in str(told)
    assert str(told).endswith("nothing was done: do it again")
