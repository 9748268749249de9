"""People and their memberships. Whoever is removed keeps a row, so that the audit log's names stay somebody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import lock_table, reading, retried, writing
from ari_app.store.db.tables import memberships, passkeys, people, recovery_codes, sessions


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person with what they prove themselves by. `memberships`: roles by party, such as `advertiser:acme`."""

    id: int
    email: str
    name: str
    created_at: int
    removed_at: int | None = None
    password_hash: str | None = None
    totp_secret: str | None = None
    totp_step: int | None = None
    memberships: Mapping[str, str] = field(default_factory=dict)


_COLUMNS = tuple(
    people.c[name]
    for name in (
        "id",
        "email",
        "name",
        "created_at",
        "removed_at",
        "password_hash",
        "totp_secret",
        "totp_step",
    )
)


def by_email(engine: Engine, email: str) -> PersonRow | None:
    """The person with this address (in lower case), removed or not."""
    with reading(engine) as connection:
        return by_email_in(connection, email)


def by_id(engine: Engine, id: int) -> PersonRow | None:
    """The person with this id, removed or not."""
    with reading(engine) as connection:
        return _one(connection, people.c.id == id)


def by_email_in(connection: Connection, email: str) -> PersonRow | None:
    """The same as `by_email`, as this transaction sees it."""
    return _one(connection, people.c.email == email)


def all_of(engine: Engine, party: str | None = None) -> list[PersonRow]:
    """Everybody, or the people of one party, by address. Those who were removed come with no membership."""
    query = select(*_COLUMNS).order_by(people.c.email)
    if party is not None:
        theirs = select(memberships.c.person_id).where(memberships.c.party == party)
        query = query.where(people.c.id.in_(theirs))
    with reading(engine) as connection:
        rows = [PersonRow(*row) for row in connection.execute(query)]
        roles: dict[int, dict[str, str]] = {row.id: {} for row in rows}
        for person, of, role in connection.execute(select(memberships).order_by(memberships.c.party)):
            if person in roles:
                roles[person][of] = role
    return [replace(row, memberships=roles[row.id]) for row in rows]


def join(connection: Connection, email: str, name: str, party: str, role: str, now: int) -> PersonRow:
    """Gives somebody a role in a party; makes the person where there is none, and brings back one who was removed."""
    found = by_email_in(connection, email)
    if found is None:
        connection.execute(insert(people).values(email=email, name=name, created_at=now))
        found = by_email_in(connection, email)
        assert found is not None
    elif found.removed_at is not None:
        connection.execute(update(people).where(people.c.id == found.id).values(removed_at=None, name=name))
    is_it = (memberships.c.person_id == found.id, memberships.c.party == party)
    connection.execute(delete(memberships).where(*is_it))
    connection.execute(insert(memberships).values(person_id=found.id, party=party, role=role))
    joined = by_email_in(connection, email)
    assert joined is not None
    return joined


def set_password_in(connection: Connection, id: int, password_hash: str) -> None:
    """Sets somebody's password in this transaction."""
    connection.execute(update(people).where(people.c.id == id).values(password_hash=password_hash))


@retried
def leave(engine: Engine, id: int, party: str, needed: str | None, entry: Entry) -> bool:
    """Takes somebody out of a party, and ends their sessions. Who is in no party any more is removed.

    `needed`: a role that somebody of the party must have; False, and nothing has changed, when nobody would.
    """
    table = memberships.c
    with writing(engine) as connection:
        lock_table(connection, memberships)
        others = select(table.person_id).where(
            table.party == party, table.role == needed, table.person_id != id
        )
        if needed is not None and connection.execute(others.limit(1)).first() is None:
            return False
        connection.execute(delete(memberships).where(table.person_id == id, table.party == party))
        connection.execute(delete(sessions).where(sessions.c.person_id == id))
        if connection.execute(select(table.party).where(table.person_id == id).limit(1)).first() is None:
            for table_of_theirs in (recovery_codes, passkeys):
                connection.execute(delete(table_of_theirs).where(table_of_theirs.c.person_id == id))
            gone = {"removed_at": entry.at, "password_hash": None, "totp_secret": None, "totp_step": None}
            connection.execute(update(people).where(people.c.id == id).values(**gone))
        auditlog.note(connection, entry)
        return True


@retried
def change(
    engine: Engine,
    id: int,
    entry: Entry,
    *,
    recovery: Sequence[str] | None = None,
    but_for: int | None = None,
    **values: Any,
) -> None:
    """Changes what somebody proves themselves by. Ends their sessions, but for the one with the id `but_for`.

    `recovery`: the hashes of the recovery codes that take the place of those that they have.
    """
    with writing(engine) as connection:
        if values:
            connection.execute(update(people).where(people.c.id == id).values(**values))
        if recovery is not None:
            connection.execute(delete(recovery_codes).where(recovery_codes.c.person_id == id))
            if recovery:
                rows = [{"person_id": id, "code_hash": code} for code in recovery]
                connection.execute(insert(recovery_codes), rows)
        theirs = sessions.c.person_id == id
        others = theirs if but_for is None else theirs & (sessions.c.id != but_for)
        connection.execute(delete(sessions).where(others))
        auditlog.note(connection, entry)


@retried
def use_step(engine: Engine, id: int, step: int) -> bool:
    """Marks a code's time step as used. False: this one, or a later one, was used already."""
    unused = people.c.totp_step.is_(None) | (people.c.totp_step < step)
    with writing(engine) as connection:
        used = update(people).where(people.c.id == id, unused).values(totp_step=step)
        return connection.execute(used).rowcount == 1


@retried
def use_recovery(engine: Engine, id: int, code_hash: str, entry: Entry) -> int | None:
    """Uses a recovery code, once; returns how many are left. None: it is none of theirs, or was used already."""
    table = recovery_codes.c
    theirs = table.person_id == id, table.used_at.is_(None)
    with writing(engine) as connection:
        using = update(recovery_codes).where(*theirs, table.code_hash == code_hash).values(used_at=entry.at)
        if connection.execute(using).rowcount != 1:
            return None
        left = len(connection.execute(select(table.code_hash).where(*theirs)).all())
        auditlog.note(connection, replace(entry, facts={**entry.facts, "left": left}))
        return left


def _one(connection: Connection, condition: Any) -> PersonRow | None:
    row = connection.execute(select(*_COLUMNS).where(condition)).one_or_none()
    if row is None:
        return None
    roles = select(memberships.c.party, memberships.c.role).where(memberships.c.person_id == row.id)
    found = connection.execute(roles.order_by(memberships.c.party))
    return replace(PersonRow(*row), memberships={one.party: one.role for one in found})
