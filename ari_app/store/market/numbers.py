"""Tracking numbers: who had each number, and when. The history is kept, and a call is never attributed again.

The open assignments alone say who has a number, whether an apply (`file`) or a command (`desk`) gave it.
A unique index ensures that a number has one open assignment at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern

from sqlalchemy import ColumnElement, Connection, Engine, func, insert, or_, select, update

from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.holdings import Assignment, Origin
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import inventory, number_assignments

OPEN = number_assignments.c.to_at.is_(None)
_COLUMNS = tuple(
    number_assignments.c[name]
    for name in ("did", "campaign", "publisher", "source", "from_at", "to_at", "origin")
)

_AT_ONCE = 1000  # numbers in one statement: a database has a limit of parameters


def history(engine: Engine, did: str) -> list[Assignment]:
    """All assignments of a number, oldest first."""
    query = select(*_COLUMNS).where(number_assignments.c.did == did).order_by(number_assignments.c.id)
    with reading(engine) as connection:
        return [Assignment(*row) for row in connection.execute(query)]


def assigned_at(assignments: Iterable[Assignment], at: int) -> Assignment | None:
    """The assignment that was open at a moment (ms), among all of a number."""
    lasted = (one for one in assignments if one.from_at <= at and (one.to_at is None or at < one.to_at))
    return next(lasted, None)


def holder(connection: Connection, did: str) -> Assignment | None:
    """The open assignment of a number, as this transaction sees it."""
    row = connection.execute(select(*_COLUMNS).where(number_assignments.c.did == did, OPEN)).one_or_none()
    return Assignment(*row) if row else None


def count(connection: Connection, campaign: str, publisher: str) -> int:
    """How many numbers a publisher has for a campaign."""
    table = number_assignments
    is_theirs = table.c.campaign == campaign, table.c.publisher == publisher, OPEN
    found: int = connection.execute(select(func.count()).where(*is_theirs)).scalar_one()
    return found


def documents_in(connection: Connection) -> dict[str, dict[str, str]]:
    """The numbers that somebody has now, in the form of a marketplace's document."""
    query = select(*_COLUMNS[:4]).where(OPEN).order_by(number_assignments.c.did)
    return {
        did: {"campaign": campaign, "publisher": publisher} | ({} if source is None else {"source": source})
        for did, campaign, publisher, source in connection.execute(query)
    }


@dataclass(frozen=True, slots=True)
class Seen:
    """Which changes of numbers a reader has seen: assignments up to `id`, and their ends before `ended_at` (ms)."""

    id: int
    ended_at: int


def owned(
    connection: Connection, known: Mapping[str, Number], seen: Seen | None
) -> tuple[Mapping[str, Number], Seen]:
    """Who has each number now: `known`, which has the changes `seen`, and what changed since.

    The same mapping if nothing changed. `seen` None: all numbers are read, a page at a time.
    """
    table = number_assignments
    now = Seen(
        *(connection.execute(select(func.max(at))).scalar() or 0 for at in (table.c.id, table.c.to_at))
    )
    if seen is None:
        return dict(_open(connection)), now
    # At the last moment seen, more assignments may have ended after it was read.
    is_new = or_(table.c.id > seen.id, table.c.to_at >= seen.ended_at)
    touched = list(connection.execute(select(table.c.did).where(is_new).distinct()).scalars())
    theirs = dict[str, Number]()
    for start in range(0, len(touched), _AT_ONCE):
        theirs.update(_open(connection, table.c.did.in_(touched[start : start + _AT_ONCE])))
    if all(known.get(did) == theirs.get(did) for did in touched):
        return known, now
    gone = set(touched) - theirs.keys()
    return {did: number for did, number in {**known, **theirs}.items() if did not in gone}, now


def _open(connection: Connection, *which: ColumnElement[bool]) -> Iterator[tuple[str, Number]]:
    """The numbers that somebody has, read a page at a time."""
    query = select(*_COLUMNS[:4]).where(OPEN, *which).execution_options(yield_per=_AT_ONCE)
    for did, campaign, publisher, source in connection.execute(query):
        # The same few strings, fifty thousand times.
        yield did, Number(intern(campaign), intern(publisher), source and intern(source))


def of_desk(connection: Connection) -> dict[str, Number]:
    """The numbers that commands assigned."""
    query = select(*_COLUMNS[:4]).where(OPEN, number_assignments.c.origin == "desk")
    return {did: Number(*number) for did, *number in connection.execute(query)}


def latest_in(connection: Connection) -> int:
    """The latest moment at which an assignment began or ended (ms); 0 when there was none.

    No change has an earlier date, even if the clock was set back. So assignments never overlap.
    """
    table = number_assignments
    # Two queries: for one maximum SQLite takes the last entry of an index, for two it reads the whole table.
    newest = (connection.execute(select(func.max(at))).scalar() for at in (table.c.from_at, table.c.to_at))
    return max(at or 0 for at in newest)


def last_ends(connection: Connection) -> dict[str, int]:
    """When each number's newest closed assignment ended (ms)."""
    table = number_assignments
    query = select(table.c.did, func.max(table.c.to_at).label("ended_at")).where(table.c.to_at.is_not(None))
    return {row.did: row.ended_at for row in connection.execute(query.group_by(table.c.did))}


def assign(connection: Connection, numbers: Mapping[str, Number], now: int, quarantine_ms: int) -> None:
    """Ends the assignments that are not wanted any more, and begins the new ones. Part of `marketplaces.apply`."""
    query = select(*_COLUMNS[:4]).where(OPEN)
    there = {did: Number(*number) for did, *number in connection.execute(query)}
    end(connection, [did for did, number in there.items() if numbers.get(did) != number], now, quarantine_ms)
    begun = {did: number for did, number in numbers.items() if there.get(did) != number}
    begin(connection, begun, now, "file")


def begin(connection: Connection, numbers: Mapping[str, Number], now: int, origin: Origin) -> None:
    """Begins assignments at `now` (ms). The numbers have no open one."""
    rows = [
        {
            "did": did,
            "campaign": number.campaign,
            "publisher": number.publisher,
            "source": number.source,
            "from_at": now,
            "origin": origin,
        }
        for did, number in numbers.items()
    ]
    if rows:
        connection.execute(insert(number_assignments), rows)


def end(connection: Connection, dids: Sequence[str], now: int, quarantine_ms: int) -> None:
    """Ends the open assignments. Numbers of the inventory then rest for the time of the quarantine."""
    table = number_assignments
    for start in range(0, len(dids), _AT_ONCE):
        some = dids[start : start + _AT_ONCE]
        connection.execute(update(table).where(table.c.did.in_(some), OPEN).values(to_at=now))
        rest = update(inventory).where(inventory.c.did.in_(some))
        connection.execute(rest.values(available_from=now + quarantine_ms))
