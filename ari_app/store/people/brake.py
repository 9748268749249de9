"""The brake on guessing: who failed often waits, longer each time, by account and by address.

It is in the database, so that all processes count together. Accounts and addresses are counted by a part of their
hash: so the table is bounded, and it does not tell which accounts there are. An account that is not there is counted
as one that is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, delete, insert, select, update

from ari_app.store.db.engine import lock_table, retried, writing
from ari_app.store.db.tables import failed_sign_ins

FREE = 5
"""How often somebody may fail before they wait."""
LONGEST_MS = 15 * 60_000
FORGOTTEN_MS = 24 * 3_600_000
"""How long after the last failure all of them are forgotten."""
_DIGITS = 5  # of hash: a million rows of a kind, at most


def key(kind: str, name: str) -> str:
    """The key by which an account or an address is counted."""
    return f"{kind}:{hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]}"


def wait_ms(failures: int) -> int:
    """How long one waits after so many failures: nothing at first, then 1 s, 2 s, 4 s, ... up to 15 minutes."""
    return 0 if failures < FREE else int(min(1000 * 2 ** min(failures - FREE, 20), LONGEST_MS))


@retried
def begin(engine: Engine, keys: Sequence[str], now: int, weights: Mapping[str, int]) -> int:
    """Counts an attempt as failed, before it is known whether it is: so no two can be made at once in secret.

    Returns 0, or how long (ms) they must wait; then nothing is counted. `weights`: how many failures of a key count
    as one, so that an address that many people share may fail more often.
    """
    table = failed_sign_ins
    with writing(engine) as connection:
        lock_table(connection, table)
        connection.execute(delete(table).where(table.c.last_at < now - FORGOTTEN_MS))
        found = {row.key: row for row in connection.execute(select(table).where(table.c.key.in_(keys)))}
        waits: list[int] = [
            row.last_at + wait_ms(row.failures // weights.get(row.key, 1)) - now for row in found.values()
        ]
        if max(waits, default=0) > 0:
            return max(waits)
        for one in keys:
            if one in found:
                failed = {"failures": found[one].failures + 1, "last_at": now}
                connection.execute(update(table).where(table.c.key == one).values(**failed))
            else:
                connection.execute(insert(table).values(key=one, failures=1, last_at=now))
        return 0


@retried
def succeeded(engine: Engine, account: str, address: str) -> None:
    """Forgets an account's failures, and this attempt of the address; its others stay, as it may have one account."""
    table = failed_sign_ins
    with writing(engine) as connection:
        connection.execute(delete(table).where(table.c.key == account))
        taken_back = update(table).where(table.c.key == address, table.c.failures > 0)
        connection.execute(taken_back.values(failures=table.c.failures - 1))
