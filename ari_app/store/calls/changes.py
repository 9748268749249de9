"""The order in which calls changed: who remembers the last place seen misses no change, and sees none twice.

A call has one place in this order. It is saved without one, by a trigger; whatever changes it (it is converted,
disputed, corrected, erased) takes its place away, in the same transaction. The next reader gives new places, behind
all others, to what has none. Only what is committed gets one, and one reader at a time gives them; so no place ever
appears before one that is already there. Numbers drawn by the changes themselves would: a transaction may draw the
lower one and be committed later.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.selection import Selection
from ari_app.store.calls.callrows import records
from ari_app.store.calls.selection import conditions
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import call_changes, call_places, calls

AT_ONCE = 5_000  # calls that get a place in one transaction
SPAN = 5_000  # places that are looked through for calls that match, in one answer


@dataclass(frozen=True, slots=True)
class Page:
    """Calls in the order of their places. `last` is the last place that was looked at; `is_last`: there are no more."""

    records: Sequence[CallRecord]
    last: int
    is_last: bool


def note(connection: Connection, call_ids: Collection[str]) -> None:
    """Something of saved calls changed. In the order of their ids, so that no two transactions wait in a circle."""
    if not call_ids:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    anew = dialect.insert(call_changes)
    connection.execute(
        anew.on_conflict_do_update(
            index_elements=["call_id"], set_={"place": None}, where=call_changes.c.place.is_not(None)
        ),
        [{"call_id": one, "place": None} for one in sorted(set(call_ids))],
    )


def after(engine: Engine, place: int, limit: int, wanted: Selection) -> Page:
    """The calls that changed after a place, the earliest change first, at most `limit`, of those that are wanted.

    At most SPAN places are looked through, so a page may have fewer calls, or none, and not be the last.
    """
    _give_places(engine)
    last = select(func.max(call_changes.c.place))
    span = (call_changes.c.place > place, call_changes.c.place <= place + SPAN)
    query = (
        select(call_changes.c.place, calls)
        .join(calls, calls.c.id == call_changes.c.call_id)
        .where(*span, *conditions(wanted))
        .order_by(call_changes.c.place)
        .limit(limit)
    )
    with reading(engine) as connection:
        newest = connection.execute(last).scalar_one() or 0
        rows = connection.execute(query).all()
        found = records(connection, rows)
    seen = rows[-1].place if len(rows) == limit else min(place + SPAN, max(newest, place))
    return Page(found, seen, seen >= newest)


@retried
def _give_places(engine: Engine) -> None:
    """Gives places to calls that have none, AT_ONCE at most."""
    has_none = select(call_changes.c.call_id).where(call_changes.c.place.is_(None))
    with reading(engine) as connection:
        if connection.execute(has_none.limit(1)).first() is None:
            return
    with writing(engine) as connection:
        its = select(call_places.c.last).where(call_places.c.id == 1).with_for_update()
        last = connection.execute(its).scalar_one()
        # A call whose place somebody is just taking away gets its new one the next time.
        free = has_none.order_by(call_changes.c.call_id).limit(AT_ONCE).with_for_update(skip_locked=True)
        found = free.subquery()
        nth = select(found.c.call_id, func.row_number().over(order_by=found.c.call_id).label("n")).subquery()
        its_own = call_changes.c.call_id == nth.c.call_id
        given = connection.execute(update(call_changes).where(its_own).values(place=last + nth.c.n))
        connection.execute(update(call_places).values(last=last + given.rowcount))
