"""What the operator lets single parties see, and the key by which names become codes."""

from __future__ import annotations

import secrets

from sqlalchemy import Engine, delete, insert, select

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import lock_table, reading, retried, writing
from ari_app.store.db.tables import sight_exceptions, site_keys

_CODES = "codes"


def exceptions(engine: Engine) -> dict[tuple[str, str], str]:
    """How a party sees a topic, by party (or kind of party) and topic."""
    with reading(engine) as connection:
        return {(row.party, row.topic): row.sight for row in connection.execute(select(sight_exceptions))}


@retried
def set_(engine: Engine, party: str, topic: str, sight: str | None, entry: Entry) -> None:
    """Sets how a party sees a topic; None: as the table says."""
    table = sight_exceptions
    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.party == party, table.c.topic == topic))
        if sight is not None:
            connection.execute(insert(table).values(party=party, topic=topic, sight=sight))
        auditlog.note(connection, entry)


def code_key(engine: Engine) -> bytes:
    """The key by which names become codes; made when it is first asked for."""
    query = select(site_keys.c.value).where(site_keys.c.name == _CODES)
    with reading(engine) as connection:
        found = connection.execute(query).scalar_one_or_none()
    return bytes.fromhex(found if found is not None else _made(engine))


@retried
def _made(engine: Engine) -> str:
    query = select(site_keys.c.value).where(site_keys.c.name == _CODES)
    with writing(engine) as connection:
        lock_table(connection, site_keys)
        found = connection.execute(query).scalar_one_or_none()
        if found is None:
            found = secrets.token_hex(32)
            connection.execute(insert(site_keys).values(name=_CODES, value=found))
        return str(found)
