"""What ended calls use of the caps in force, by their records, whatever happened to their reservations.

A cap that begins in the middle of its period counts the calls of that period so far. They are counted in the
transaction that puts it in force, while nobody saves a call (on SQLite before that, see `beginning`). A call that was
saved before is counted there; a call that is saved later counts by itself. So no call counts twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from ari_app.domain.basics.periods import Period, period
from ari_app.domain.calls.record import CallRecord, Money, Verdict
from ari_app.domain.caps.counters import Rule, is_open, owners_of, rules, use, use_corrected
from ari_app.domain.ledger.corrections import Net, net
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.market.marketplace import Marketplace
from ari_app.store.db.engine import lock_table
from ari_app.store.db.tables import calls, cap_rules, counters, legs, reservations, transfers
from ari_app.store.ledger import ledger

Used = Counter[tuple[str, int]]
"""By a counter's key and the start of its period."""

Using = Callable[[str, CallRecord], int]
"""What an ended call uses of the counter with this key."""

_BEGAN_BEFORE_MS = 86_400_000  # how long before its offer a call may have begun at most
_AT_ONCE = 500
_SET = text(
    "INSERT INTO counters (key, period_start, used, reserved) VALUES (:key, :period_start, :used, 0) "
    "ON CONFLICT (key, period_start) DO UPDATE SET used = :used"
)
_ADD = (
    update(counters)
    .where(counters.c.key == bindparam("its_key"), counters.c.period_start == bindparam("its_start"))
    .values(used=counters.c.used + bindparam("more"))
)
# Where a cap that is not counted yet begins, so that what is reversed meanwhile of earlier calls does not go below 0.
_MEANWHILE = 1 << 60
_RESERVE = text(
    "INSERT INTO counters (key, period_start, used, reserved) VALUES (:key, :period_start, 0, :first) "
    "ON CONFLICT (key, period_start) DO UPDATE SET reserved = counters.reserved + :more"
)


# Ended calls


def hold(connection: Connection) -> None:
    """Keeps caps from beginning until this transaction ends, which saves or corrects calls."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE cap_rules IN ROW EXCLUSIVE MODE")


def using(moved: Mapping[str, Sequence[Transfer]]) -> Using:
    """What calls use, by their records and (by call) all their transfers."""
    return lambda key, record: use_corrected(key, record, net(moved[record.id]))


def in_force(connection: Connection, records: Iterable[CallRecord]) -> Mapping[str, Sequence[Rule]]:
    """The rules in which the calls may count, by owner."""
    return _of_owners(connection, {owner for record in records for owner in owners_of(record)})


def used_besides(
    by_owner: Mapping[str, Sequence[Rule]],
    records: Collection[CallRecord],
    counted: Collection[tuple[str, str]],
    before: Iterable[CallRecord] = (),
    using: Using = use,
) -> Used:
    """What ended calls use of the caps in force (`by_owner`), without the counters in `counted`, by call and key.

    `before`: the same calls while they awaited a conversion, when they counted in all that was already decided.
    """
    waited = {record.id: record for record in before}
    used: Used = Counter()
    for record in records:
        for rule in _its(record, by_owner):
            if (record.id, rule.key) in counted or is_open(rule.key, record):
                continue
            if record.id in waited and not is_open(rule.key, waited[record.id]):
                continue
            used[rule.key, rule.period_of(record).start] += using(rule.key, record)
    return +used


def correct(connection: Connection, corrections: Collection[Transfer]) -> None:
    """Changes the use of caps for corrections: a reversal frees room in the call's period, a late charge takes room.

    Not for a call that awaits a conversion, because it does not count yet. In the order of locks that `reservations`
    describes, before the transfers are added.
    """
    hold(connection)
    its = calls.c.id.in_({transfer.call_id for transfer in corrections})
    so_far = ledger.of_calls(connection, select(calls.c.id).where(its))
    records = [
        _brief(row) for row in connection.execute(select(calls).where(its, calls.c.waits_until.is_(None)))
    ]
    by_owner = _of_owners(connection, {owner for record in records for owner in owners_of(record)})
    changes: Used = Counter()
    for record in records:
        there = so_far.get(record.id, [])
        before, after = net(there), net([*there, *(one for one in corrections if one.call_id == record.id)])
        for rule in _its(record, by_owner):
            more = use_corrected(rule.key, record, after) - use_corrected(rule.key, record, before)
            changes[rule.key, rule.period_of(record).start] += more
    for (key, start), more in sorted(changes.items()):
        used = counters.c.used + more
        is_it = and_(counters.c.key == key, counters.c.period_start == start)
        connection.execute(update(counters).where(is_it).values(used=case((used < 0, 0), else_=used)))


def _its(record: CallRecord, by_owner: Mapping[str, Sequence[Rule]]) -> Iterator[Rule]:
    for owner in owners_of(record):
        yield from by_owner.get(owner, ())


def _of_owners(connection: Connection, owners: Collection[str]) -> Mapping[str, Sequence[Rule]]:
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for row in connection.execute(select(cap_rules).where(cap_rules.c.owner.in_(owners))):
        found[row.owner].append(_rule(row))
    return found


# Caps that begin


def begin(connection: Connection, new: Collection[Rule], now: int) -> None:
    """Makes caps that are not in force yet count from now on. What was used before is counted after this.

    `put` must follow, which adds that.
    """
    _delete(connection, [rule.key for rule in new])
    connection.execute(insert(cap_rules), [{**_row(rule), "is_counted": False} for rule in new])
    _set(connection, dict.fromkeys(counters_of(new, now), _MEANWHILE))


def not_there(connection: Connection, marketplace: Marketplace) -> list[Rule]:
    """The marketplace's caps that do not count yet, or not everything. A cap that only has another time zone counts."""
    keys = set(connection.execute(select(cap_rules.c.key).where(cap_rules.c.is_counted)).scalars())
    return [rule for rule in rules(marketplace) if rule.key not in keys]


def counters_of(which: Iterable[Rule], now: int) -> list[tuple[str, int]]:
    """The counters of these caps in their current periods, at `now` (ms), by key and start."""
    return [(rule.key, period(rule.per, now, rule.timezone).start) for rule in which]


def put(
    connection: Connection,
    marketplace: Marketplace,
    now: int,
    begun: Mapping[tuple[str, int], int] = MappingProxyType({}),
) -> None:
    """Puts the marketplace's caps in force from `now` (ms) on. An apply does this last.

    `begun`: for the caps given to `begin`, what was used before that, by counter.
    """
    wanted = {rule.key: rule for rule in rules(marketplace)}
    rows = connection.execute(select(cap_rules)).all()
    there = {row.key: _rule(row) for row in rows if row.is_counted}
    gone = [row.key for row in rows if not row.is_counted or wanted.get(row.key) != _rule(row)]
    new = [rule for key, rule in wanted.items() if there.get(key) != rule]
    if not gone and not new:
        return
    lock_table(connection, cap_rules)
    _delete(connection, gone)
    if new:
        connection.execute(insert(cap_rules), [_row(rule) for rule in new])
        others = [rule for rule in new if not begun.keys() & set(counters_of([rule], now))]
        used = used_so_far(connection, others, now)
        _set(connection, {counter: used[counter] for counter in counters_of(others, now)})
        its = begun.keys() & set(counters_of(new, now))
        _add(connection, {counter: begun[counter] - _MEANWHILE for counter in its})
    _move_reserved(connection, [rule for rule in new if rule.key in there])


def _set(connection: Connection, used: Mapping[tuple[str, int], int]) -> None:
    rows = [{"key": key, "period_start": at, "used": n} for (key, at), n in sorted(used.items())]
    if rows:
        connection.execute(_SET, rows)


def _add(connection: Connection, more: Mapping[tuple[str, int], int]) -> None:
    rows = [{"its_key": key, "its_start": at, "more": n} for (key, at), n in sorted(more.items())]
    if rows:
        connection.execute(_ADD, rows)


def _delete(connection: Connection, keys: Iterable[str]) -> None:
    its = sorted(keys)
    for start in range(0, len(its), _AT_ONCE):
        connection.execute(delete(cap_rules).where(cap_rules.c.key.in_(its[start : start + _AT_ONCE])))


def _row(rule: Rule) -> dict[str, str]:
    return {"key": rule.key, "owner": rule.owner, "per": rule.per, "timezone": rule.timezone}


def _rule(row: Row[Any]) -> Rule:
    return Rule(row.key, row.owner, row.per, row.timezone)


def _move_reserved(connection: Connection, changed: Iterable[Rule]) -> None:
    """Moves reservations to the periods of the new time zone, for caps whose owner's time zone was changed."""
    more: Used = Counter()
    for rule in changed:
        its = select(reservations).where(reservations.c.key == rule.key).order_by(reservations.c.call_id)
        for row in connection.execute(its.with_for_update()).all():
            start = period(rule.per, row.at, rule.timezone).start
            if start != row.period_start:
                is_it = and_(reservations.c.call_id == row.call_id, reservations.c.key == row.key)
                connection.execute(update(reservations).where(is_it).values(period_start=start))
                more[row.key, row.period_start] -= row.amount
                more[row.key, start] += row.amount
    counts = [
        {"key": key, "period_start": at, "first": max(n, 0), "more": n}
        for (key, at), n in sorted(more.items())
    ]
    if counts:
        connection.execute(_RESERVE, counts)


def used_so_far(connection: Connection, which: Iterable[Rule], now: int) -> Used:
    """What saved calls have used of these caps in the current period, at `now` (ms), with all corrections."""
    alike: defaultdict[_Kind, set[str]] = defaultdict(set)
    for rule in which:
        kind, owner, measured, *rest = rule.key.split(":")
        when = period(rule.per, now, rule.timezone)
        alike[_Kind(kind, measured, rest[1] if measured == "amount" else "", rule.per, when)].add(owner)
    used: Used = Counter()
    for what, its in alike.items():
        for owner, count in connection.execute(_query(what, its)):
            if owner in its:
                used[what.key(owner), what.when.start] += int(count or 0)
        if what.measured in ("amount", "qualified"):
            for record, so_far in _corrected(connection, what):
                whose = _owner_of(what, record)
                if whose is not None and whose in its:
                    key = what.key(whose)
                    more = use_corrected(key, record, so_far) - use(key, record)
                    used[key, what.when.start] += more
    return used


@dataclass(frozen=True, slots=True)
class _Kind:
    """Caps that differ in their owner alone; they are counted together."""

    kind: str
    measured: str
    currency: str
    per: str
    when: Period

    def key(self, owner: str) -> str:
        """The key of this owner's counter."""
        currency = f":{self.currency}" if self.currency else ""
        return f"{self.kind}:{owner}:{self.measured}:{self.per}{currency}"

    @property
    def column(self) -> ColumnElement[Any]:
        """The owners of a call."""
        return calls.c["winner" if self.kind == "destination" else self.kind]

    @property
    def is_within(self) -> ColumnElement[bool]:
        """Whether a call counts in the period."""
        since = and_(
            calls.c.started_at >= self.when.start - _BEGAN_BEFORE_MS, calls.c.offered_at >= self.when.start
        )
        return since if self.when.end is None else and_(since, calls.c.offered_at < self.when.end)


def _query(what: _Kind, its: Collection[str]) -> Any:
    """How much each owner has used, by the records only."""
    rung = legs.c.call_id == calls.c.id
    if what.measured == "attempts" and what.kind == "destination":
        per_call = select(legs.c.call_id, legs.c.destination).join(calls, rung).where(what.is_within)
        pairs = per_call.distinct().subquery()
        return select(pairs.c.destination, func.count()).group_by(pairs.c.destination)
    has_ended = {
        "attempts": exists().where(rung),
        "connected": calls.c.connected_at.is_not(None),
        "qualified": and_(calls.c.qualified, calls.c.waits_until.is_(None)),
        "amount": and_(calls.c.currency == what.currency, calls.c.waits_until.is_(None)),
    }[what.measured]
    money = calls.c.paid if what.kind == "publisher" else calls.c.charged
    value = func.sum(money) if what.measured == "amount" else func.count()
    query = select(what.column, value).where(what.is_within, has_ended)
    if len(its) <= _AT_ONCE:
        query = query.where(what.column.in_(its))
    return query.group_by(what.column)


def _corrected(connection: Connection, what: _Kind) -> Iterator[tuple[CallRecord, Net]]:
    """The calls that were corrected since they were judged, as far as caps count them, and their money."""
    is_corrected = exists().where(transfers.c.call_id == calls.c.id, transfers.c.kind == "adjust")
    found = select(calls.c.id).where(what.is_within, is_corrected, calls.c.waits_until.is_(None))
    ids = connection.execute(found).scalars().all()
    for start in range(0, len(ids), _AT_ONCE):
        some = calls.c.id.in_(ids[start : start + _AT_ONCE])
        its = ledger.of_calls(connection, select(calls.c.id).where(some))
        for row in connection.execute(select(calls).where(some)):
            yield _brief(row), net(its.get(row.id, ()))


def _owner_of(what: _Kind, record: CallRecord) -> str | None:
    name = "winner" if what.kind == "destination" else what.kind
    owner: str | None = getattr(record, name)
    return owner


def _brief(row: Row[Any]) -> CallRecord:
    """A record with what caps count, and no more."""
    record = CallRecord(row.id, row.did, None, row.started_at, offered_at=row.offered_at)
    record.campaign, record.advertiser = row.campaign, row.advertiser
    record.publisher, record.winner = row.publisher, row.winner
    record.qualification = None if row.qualified is None else Verdict(row.qualified, [])
    if row.currency is not None:
        record.money = Money(row.currency, row.price, row.payout, row.charged, row.paid)
    return record
