"""Sessions: who is signed in, by the hash of what their browser keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, Engine, delete, insert, select, update

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import memberships, people, sessions

MOST_OF_ONE = 50
"""How many sessions one person has at most; the one that was used longest ago gives way."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session to be. Its party is one of the person's; times in ms."""

    token_hash: str
    person_id: int
    party: str
    awaits_code: bool
    created_at: int
    confirmed_at: int
    expires_at: int
    address: str = ""
    browser: str = ""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session that is there, and who it is: their address, and their role by party."""

    id: int
    person_id: int
    email: str
    party: str
    as_party: str | None
    awaits_code: bool
    created_at: int
    confirmed_at: int
    seen_at: int
    address: str
    browser: str
    roles: tuple[tuple[str, str], ...] = ()


_COLUMNS = (
    sessions.c.id,
    sessions.c.person_id,
    people.c.email,
    *(
        sessions.c[name]
        for name in (
            "party",
            "as_party",
            "awaits_code",
            "created_at",
            "confirmed_at",
            "seen_at",
            "address",
            "browser",
        )
    ),
)
_OF_PEOPLE = sessions.join(people, people.c.id == sessions.c.person_id)


def add_in(connection: Connection, session: Session, entry: Entry | None = None) -> None:
    """Begins a session. Those that are over, and too many of one person, go."""
    theirs = sessions.c.person_id == session.person_id
    newest = select(sessions.c.id).where(theirs).order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
    connection.execute(delete(sessions).where(sessions.c.expires_at <= session.created_at))
    kept = connection.execute(newest.limit(MOST_OF_ONE - 1)).scalars().all()
    connection.execute(delete(sessions).where(theirs, sessions.c.id.not_in(kept)))
    connection.execute(insert(sessions).values(**asdict(session), seen_at=session.created_at))
    auditlog.note(connection, entry)


@retried
def add(engine: Engine, session: Session, entry: Entry | None = None) -> None:
    """The same in a transaction of its own."""
    with writing(engine) as connection:
        add_in(connection, session, entry)


def find(engine: Engine, token_hash: str, now: int, idle_ms: int) -> SessionRow | None:
    """The session of this token, if it is not over, and was used less than `idle_ms` ago."""
    good = (
        sessions.c.token_hash == token_hash,
        sessions.c.expires_at > now,
        sessions.c.seen_at > now - idle_ms,
        people.c.removed_at.is_(None),
    )
    query = (
        select(*_COLUMNS, memberships.c.party, memberships.c.role)
        .select_from(_OF_PEOPLE.outerjoin(memberships, memberships.c.person_id == people.c.id))
        .where(*good)
        .order_by(memberships.c.party)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    if not rows:
        return None
    *own, _, _ = rows[0]
    return replace(
        SessionRow(*own), roles=tuple((party, role) for *_, party, role in rows if party is not None)
    )


def of_person(engine: Engine, person_id: int, now: int) -> list[SessionRow]:
    """Somebody's sessions that are not over, the one that was used last first."""
    query = (
        select(*_COLUMNS)
        .select_from(_OF_PEOPLE)
        .where(
            sessions.c.person_id == person_id,
            sessions.c.expires_at > now,
            sessions.c.awaits_code.is_(False),
        )
        .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
    )
    with reading(engine) as connection:
        return [SessionRow(*row) for row in connection.execute(query)]


@retried
def touch(engine: Engine, id: int, now: int) -> None:
    """Notes that the session is used."""
    with writing(engine) as connection:
        connection.execute(update(sessions).where(sessions.c.id == id).values(seen_at=now))


@retried
def replace_by(engine: Engine, id: int, session: Session, entry: Entry | None) -> bool:
    """Ends a session, and begins another. False: it was over already, and none is begun."""
    with writing(engine) as connection:
        if connection.execute(delete(sessions).where(sessions.c.id == id)).rowcount != 1:
            return False
        add_in(connection, session, entry)
        return True


@retried
def set_(engine: Engine, id: int, entry: Entry | None = None, **values: object) -> None:
    """Changes a session: `party`, `as_party`, `confirmed_at`."""
    with writing(engine) as connection:
        connection.execute(update(sessions).where(sessions.c.id == id).values(**values))
        auditlog.note(connection, entry)


@retried
def end(engine: Engine, person_id: int, id: int | None = None, entry: Entry | None = None) -> int:
    """Ends one of somebody's sessions, or all; returns how many."""
    mine = sessions.c.person_id == person_id
    ended = delete(sessions).where(mine if id is None else mine & (sessions.c.id == id))
    with writing(engine) as connection:
        count = connection.execute(ended).rowcount
        auditlog.note(connection, entry if count else None)
        return count
