"""PostgreSQL: all that a call needs is reserved by one message, if there is room for all of it.

With several messages a call would hold locks on shared rows while each message travels. On busy processors each
message waits for its turn, and everyone who needs these locks waits, too. With one message the rows are locked only
while the server works.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, text

from ari_app.domain.caps.counters import Claim, Wanted, funds_key
from ari_app.store.db.engine import at_once

_RESERVE = text(
    "SELECT reserve_at_once(:call, :at, :end, CAST(:keys AS text[]), CAST(:starts AS bigint[]), "
    "CAST(:amounts AS bigint[]), CAST(:limits AS bigint[]), :funds, :account, :currency, :amount, :credit)"
)


def reserve(engine: Engine, wanted: Wanted, claims: Sequence[Claim]) -> bool:
    """Reserves all or nothing: `claims` (those of `wanted`, in the order of their keys) and its funds. True: all.

    False: nothing is reserved, because something has no room or was reserved before.
    """
    if engine.dialect.name != "postgresql" or any(claim.amount > claim.limit for claim in claims):
        return False
    funds = wanted.funds
    values = {
        "call": wanted.call_id,
        "at": wanted.at,
        "end": wanted.expires_at,
        "keys": [claim.key for claim in claims],
        "starts": [claim.period.start for claim in claims],
        "amounts": [claim.amount for claim in claims],
        "limits": [claim.limit for claim in claims],
        "funds": funds and funds_key(funds.account, funds.currency),
        "account": funds and funds.account,
        "currency": funds and funds.currency,
        "amount": funds and funds.amount,
        "credit": funds and funds.credit_limit,
    }
    with at_once(engine) as connection:
        return bool(connection.execute(_RESERVE, values).scalar_one())
