"""Links that somebody is sent: invitations to a party, and links to sign in by. Each is good once, and for a while."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, retried, writing
from ari_app.store.db.tables import links

KEPT_MS = 30 * 86_400_000
"""How long after its end a link is still told apart from one that never was."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link for the person with this address. An invitation says to which party, and as what. Times in ms."""

    token_hash: str
    kind: str
    email: str
    party: str | None
    role: str | None
    created_at: int
    by: str
    expires_at: int
    used_at: int | None = None


@retried
def add(engine: Engine, link: Link, entry: Entry) -> None:
    """Adds a link; an unused one of the same kind, for the same person and party, is good no more."""
    table = links.c
    party = table.party.is_(None) if link.party is None else table.party == link.party
    same = (table.kind == link.kind, table.email == link.email, party, table.used_at.is_(None))
    with writing(engine) as connection:
        connection.execute(delete(links).where(*same))
        connection.execute(delete(links).where(table.expires_at < link.created_at - KEPT_MS))
        connection.execute(insert(links).values(**asdict(link)))
        auditlog.note(connection, entry)


def get(engine: Engine, token_hash: str) -> Link | None:
    """The link with this token's hash, used or not."""
    with reading(engine) as connection:
        row = connection.execute(select(links).where(links.c.token_hash == token_hash)).one_or_none()
        return Link(*row) if row else None


def open_of(engine: Engine, party: str | None, now: int) -> list[Link]:
    """The invitations that can still be accepted, of one party or of all, newest first."""
    table = links.c
    query = select(links).where(table.kind == "invitation", table.used_at.is_(None), table.expires_at > now)
    if party is not None:
        query = query.where(table.party == party)
    with reading(engine) as connection:
        return [Link(*row) for row in connection.execute(query.order_by(table.created_at.desc()))]


@retried
def withdraw(engine: Engine, email: str, party: str, entry: Entry) -> bool:
    """Makes an invitation that is not accepted good no more; whether there was one."""
    table = links.c
    theirs = table.kind == "invitation", table.email == email, table.party == party, table.used_at.is_(None)
    with writing(engine) as connection:
        is_gone = connection.execute(delete(links).where(*theirs)).rowcount > 0
        auditlog.note(connection, entry if is_gone else None)
        return is_gone


def use(connection: Connection, token_hash: str, now: int) -> bool:
    """Uses a link. False: it was used, is over, or is none; of two who use it at once, one gets False."""
    table = links.c
    good = table.token_hash == token_hash, table.used_at.is_(None), table.expires_at > now
    return connection.execute(update(links).where(*good).values(used_at=now)).rowcount == 1
