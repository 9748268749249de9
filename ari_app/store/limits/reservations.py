"""Reservations: what calls under way have reserved of caps and of funds, and the counters that they change.

A counter is raised by a statement that has the limit as its condition. So the database ensures that no limit is
exceeded, however many ask at once. A reservation ends when its row is deleted: only the transaction that deletes the
row gives back what was reserved.

Every transaction takes its locks in one order. What calls need while they wait to be offered comes last, so that it
is locked for the shortest time:

    1. calls by id, and the reservations that it ends: nobody else's
    2. what is counted for reports (`rollups`) and for trunks (`spending`), by table and key
    3. balances by account backwards, so advertisers' come last: a trigger takes them when transfers are there already
    4. counters of caps, by key

So transactions do not wait for each other in a circle, and a transaction that waits for an earlier lock keeps no
caller waiting. If PostgreSQL ever ends a transaction because of a deadlock, a reservation counts as not made, and
the writer saves its calls again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    TextClause,
    and_,
    bindparam,
    delete,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.sql.expression import ColumnElement

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.caps.counters import (
    EXPIRES_AFTER_MS,
    Answer,
    Claim,
    Funds,
    Rule,
    Wanted,
    funds_key,
    funds_of,
    is_open,
    use,
)
from ari_app.domain.ledger.calls import CONVERSION_GRACE_MS
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import account_balances, reservations
from ari_app.store.ledger import ledger
from ari_app.store.limits import atonce, caprules
from ari_app.store.limits.caprules import Using

EXPIRED_AT_ONCE = 500
_OPEN_ACCOUNT = text(
    "INSERT INTO account_balances (account, currency, posted, held, reserved) "
    "VALUES (:account, :currency, 0, 0, 0) ON CONFLICT DO NOTHING"
)

# What is held for others is not available; what is held for this account is not available yet.
_TAKE_FUNDS = text(
    "UPDATE account_balances SET reserved = reserved + :amount "
    "WHERE account = :account AND currency = :currency "
    "AND posted + CASE WHEN held < 0 THEN held ELSE 0 END - reserved - :amount >= -:credit_limit"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """`count` reservations that ended: what they gave back, and what was used, by counter (key, start).

    `counted`: by call and key, the reservations whose use is included.
    """

    count: int = 0
    given: Counter[tuple[str, int]] = field(default_factory=Counter)
    used: Counter[tuple[str, int]] = field(default_factory=Counter)
    counted: set[tuple[str, str]] = field(default_factory=set)


class _Nothing(Exception):
    """Nothing is reserved, and the transaction is undone; the answer says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def reserve(engine: Engine, wanted: Wanted) -> Answer:
    """Reserves all that the call needs in one transaction, or nothing. If asked again, it is reserved only once.

    A destination whose own caps have no room is left out, and nothing is reserved for it. When no destination is
    left, nothing is reserved at all. Raises DatabaseUnavailable.
    """
    claims = sorted(_claims(wanted), key=_key)
    if atonce.reserve(engine, wanted, claims):
        return Answer()
    try:
        with writing(engine) as connection:
            return Answer(left_out=_reserve(connection, wanted, claims))
    except _Nothing as nothing:
        return nothing.answer


def give_back(engine: Engine, call_id: str) -> None:
    """Gives back all that the call has reserved: it will not be offered."""
    with writing(engine) as connection:
        settle(connection, _end(connection, reservations.c.call_id == call_id, {}))


def give_back_losers(engine: Engine, call_id: str, winner: str) -> None:
    """Gives back what the call has reserved of destinations that can no longer get the call.

    Where a cap counts offers, the offer to them still counts.
    """
    key = reservations.c.key
    is_loser = key.startswith("destination:") & ~key.startswith(f"destination:{winner}:")
    is_loser &= ~key.contains(":attempts:")
    with writing(engine) as connection:
        settle(connection, _end(connection, (reservations.c.call_id == call_id) & is_loser, {}))


def end(
    connection: Connection,
    records: Iterable[CallRecord],
    before: Iterable[CallRecord] = (),
    using: Using = use,
) -> Ended:
    """Ends the reservations of the calls. `settle` must follow, as late as possible. Part of `calls.save`.

    What a call that awaits a conversion may still use stays reserved until then. `before`: the calls while they awaited
    it. `using` says what each call uses of a counter. Use is counted even if its reservation expired, or if the cap
    began after the reservation was made.
    """
    by_id = {record.id: record for record in records}
    if not by_id:
        return Ended()
    caprules.hold(connection)
    its: ColumnElement[bool] = reservations.c.call_id.in_(by_id)
    if kept := _extend(connection, by_id):
        its &= tuple_(reservations.c.call_id, reservations.c.key).not_in(kept)
    by_owner = caprules.in_force(connection, by_id.values())
    ended = _end(connection, its, by_id, using, {r.key: r for rules in by_owner.values() for r in rules})
    ended.used.update(caprules.used_besides(by_owner, by_id.values(), ended.counted, before, using))
    return ended


def settle(connection: Connection, ended: Ended, moved: Collection[Transfer] = ()) -> None:
    """Adds the calls' transfers; then what they had reserved becomes use, or is given back.

    Transfers are many and balances few. Balances are locked when the transfers are written, and only then.
    """
    funds = {key: account for key in ended.given if (account := funds_of(key[0])) is not None}
    accounts = ledger.accounts(moved)
    if not accounts.issuperset(funds.values()):
        ledger.lock_accounts(connection, accounts.union(funds.values()))
    ledger.add_of_calls(connection, moved)
    _release(connection, {account: ended.given[counter] for counter, account in funds.items()})
    counted = {*ended.given, *ended.used} - funds.keys()
    _count(connection, {counter: (ended.given[counter], ended.used[counter]) for counter in counted})


def _extend(connection: Connection, calls: Mapping[str, CallRecord]) -> list[tuple[str, str]]:
    """Extends the reservations of calls that await a conversion; returns which these are, by call and key."""
    waiting = {id_: until for id_, record in calls.items() if (until := record.waits_until) is not None}
    if not waiting:
        return []
    query = select(reservations.c.call_id, reservations.c.key).where(reservations.c.call_id.in_(waiting))
    kept = [(id_, key) for id_, key in connection.execute(query) if is_open(key, calls[id_])]
    for call_id, key in kept:
        is_it = and_(reservations.c.call_id == call_id, reservations.c.key == key)
        expires_at = waiting[call_id] + CONVERSION_GRACE_MS + EXPIRES_AFTER_MS
        connection.execute(update(reservations).where(is_it).values(expires_at=expires_at))
    return kept


def expire(engine: Engine, now: int) -> int:
    """Gives back expired reservations of calls that were never settled, EXPIRED_AT_ONCE at most; returns how many."""
    each = tuple_(reservations.c.call_id, reservations.c.key)
    is_over = reservations.c.expires_at <= now
    oldest = select(reservations.c.call_id, reservations.c.key).where(is_over)
    with writing(engine) as connection:
        limited = oldest.order_by(reservations.c.expires_at).limit(EXPIRED_AT_ONCE)
        ended = _end(connection, each.in_(limited), {})
        settle(connection, ended)
        return ended.count


def _claims(wanted: Wanted) -> Iterator[Claim]:
    yield from wanted.claims
    for its_own in wanted.destinations.values():
        yield from its_own


def _reserve(connection: Connection, wanted: Wanted, claims: Iterable[Claim]) -> dict[str, str]:
    """Takes everything; returns the destinations left out, with the reason. Raises _Nothing.

    Rows of this call only are written first. Rows that all calls share are locked last, by few statements.
    """
    has = reservations.c.call_id == wanted.call_id
    held = set(connection.execute(select(reservations.c.key).where(has)).scalars())
    if held:  # a call that is restarted after a while without a switch may last as long as a new one
        connection.execute(update(reservations).where(has).values(expires_at=wanted.expires_at))
    new = [claim for claim in claims if claim.key not in held]
    funds = wanted.funds if wanted.funds and _funds_key(wanted.funds) not in held else None
    rows = [_row(wanted, claim.key, claim.period.start, claim.amount) for claim in new]
    if funds is not None:
        rows.append(_row(wanted, _funds_key(funds), 0, funds.amount))
    if rows:
        connection.execute(insert(reservations), rows)
    has_funds = funds is None or _take_funds(connection, funds)
    without_room = {claim.key for claim in new} - _take(connection, new)
    left_out = _left_out(wanted, new, without_room)
    if funds is not None and not has_funds:
        raise _Nothing(Answer(left_out=dict.fromkeys(wanted.destinations, funds.words)))
    if without_room:
        _give_up(connection, wanted, left_out, new, without_room)
    return left_out


def _key(claim: Claim) -> str:
    return claim.key


def _funds_key(funds: Funds) -> str:
    return funds_key(funds.account, funds.currency)


def _left_out(wanted: Wanted, new: Sequence[Claim], without_room: Collection[str]) -> dict[str, str]:
    """The destinations that cannot be rung, with the reason. Raises _Nothing if none can be rung."""
    for claim in new:
        if claim.key in without_room and claim in wanted.claims:
            raise _Nothing(Answer(capped=claim.words))
    left_out = {
        name: claim.words
        for name, claims in wanted.destinations.items()
        for claim in sorted(claims, key=_key, reverse=True)  # the first without room has its reason told
        if claim.key in without_room
    }
    if len(left_out) == len(wanted.destinations):
        raise _Nothing(Answer(left_out=left_out))
    return left_out


def _give_up(
    connection: Connection,
    wanted: Wanted,
    left_out: Collection[str],
    new: Sequence[Claim],
    without_room: Collection[str],
) -> None:
    """Gives back what was taken for destinations that are left out."""
    its = {claim.key for name in left_out for claim in wanted.destinations[name]}
    given_up = [claim for claim in new if claim.key in its]
    is_given_up = reservations.c.key.in_([claim.key for claim in given_up])
    connection.execute(delete(reservations).where(reservations.c.call_id == wanted.call_id, is_given_up))
    taken = [claim for claim in given_up if claim.key not in without_room]
    _count(connection, {(claim.key, claim.period.start): (claim.amount, 0) for claim in taken})


def _take(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    """Takes each claim that has room, in the order given; returns their keys. One statement, whatever their number."""
    possible = [claim for claim in claims if claim.amount <= claim.limit]
    if not possible:
        return set()
    values = {
        f"{name}{n}": value
        for n, claim in enumerate(possible)
        for name, value in (
            ("key", claim.key),
            ("start", claim.period.start),
            ("amount", claim.amount),
            ("limit", claim.limit),
        )
    }
    return set(connection.execute(_taking(len(possible)), values).scalars())


@cache
def _taking(count: int) -> TextClause:
    """Works in both databases: an upsert whose condition does not hold changes no row, and returns none."""
    rows = ", ".join(f"(:key{n}, :start{n}, 0, :amount{n})" for n in range(count))
    limit = " ".join(f"WHEN :key{n} THEN :limit{n}" for n in range(count))
    return text(
        f"INSERT INTO counters (key, period_start, used, reserved) VALUES {rows} "
        "ON CONFLICT (key, period_start) DO UPDATE SET reserved = counters.reserved + excluded.reserved "
        "WHERE counters.used + counters.reserved + excluded.reserved "
        f"<= CASE excluded.key {limit} END RETURNING key"
    )


def _take_funds(connection: Connection, funds: Funds) -> bool:
    """Reserves the money, if it is available."""
    account = {"account": funds.account, "currency": funds.currency}
    if funds.credit_limit:  # without credit, an account that never had money has nothing to reserve
        connection.execute(_OPEN_ACCOUNT, account)
    taking = {**account, "amount": funds.amount, "credit_limit": funds.credit_limit}
    return connection.execute(_TAKE_FUNDS, taking).rowcount == 1


def _row(wanted: Wanted, key: str, period_start: int, amount: int) -> dict[str, Any]:
    return {
        "call_id": wanted.call_id,
        "key": key,
        "period_start": period_start,
        "amount": amount,
        "at": wanted.at,
        "expires_at": wanted.expires_at,
    }


def _end(
    connection: Connection,
    which: ColumnElement[bool],
    calls: Mapping[str, CallRecord],
    using: Using = use,
    rules: Mapping[str, Rule] = MappingProxyType({}),
) -> Ended:
    """Ends these reservations. `using` says how much of them a call in `calls` has used.

    The use counts in the period of the cap in force (`rules`, by key), whose time zone may have been changed since.
    """
    columns = [reservations.c[name] for name in ("call_id", "key", "period_start", "amount")]
    rows = connection.execute(delete(reservations).where(which).returning(*columns)).all()
    ended = Ended(len(rows))
    for call_id, key, start, amount in rows:
        ended.given[key, start] += amount
        ended.counted.add((call_id, key))
        if call_id in calls:
            at = rules[key].start_for(calls[call_id], start) if key in rules else start
            ended.used[key, at] += using(key, calls[call_id])
    return ended


def _count(connection: Connection, changes: Mapping[tuple[str, int], tuple[int, int]]) -> None:
    """By counter (key, start): what is given back and what is used. In the order of the keys."""
    rows = [
        {"its_key": key, "its_start": start, "given": given, "more": more}
        for (key, start), (given, more) in sorted(changes.items())
    ]
    if rows:
        connection.execute(_COUNT, rows)


def _release(connection: Connection, given: Mapping[tuple[str, str], int]) -> None:
    rows = [
        {"its_account": account, "its_currency": currency, "given": amount}
        for (account, currency), amount in given.items()
    ]
    if rows:
        connection.execute(_RELEASE, rows)


# Where nothing was reserved, the counter may not be there yet.
_COUNT = text(
    "INSERT INTO counters (key, period_start, used, reserved) VALUES (:its_key, :its_start, :more, 0) "
    "ON CONFLICT (key, period_start) DO UPDATE SET reserved = counters.reserved - :given, "
    "used = counters.used + :more"
)
_RELEASE = (
    update(account_balances)
    .where(
        account_balances.c.account == bindparam("its_account"),
        account_balances.c.currency == bindparam("its_currency"),
    )
    .values(reserved=account_balances.c.reserved - bindparam("given"))
)
