"""How long legs out by a trunk have talked: what their carrier charges for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import Engine, func, select

from ari_app.store.engine import reading
from ari_app.store.tables import calls, legs

_AT_ONCE = 500  # destinations in one query


def talked_ms(
    engine: Engine, destinations: Mapping[str, Collection[str]], since: Mapping[str, int]
) -> Counter[str]:
    """By trunk, ms from answer to end of the legs to its `destinations`, of saved calls that began `since` (ms)."""
    found = Counter[str]()
    ended_at = func.coalesce(legs.c.ended_at, calls.c.ended_at)
    talked = func.coalesce(func.sum(ended_at - legs.c.answered_at), 0)
    with reading(engine) as connection:
        for trunk, from_at in since.items():
            names = sorted(destinations.get(trunk, ()))
            for start in range(0, len(names), _AT_ONCE):
                query = select(talked).join(calls, calls.c.id == legs.c.call_id)
                query = query.where(calls.c.started_at >= from_at, legs.c.answered_at.is_not(None))
                query = query.where(legs.c.destination.in_(names[start : start + _AT_ONCE]))
                found[trunk] += int(connection.execute(query).scalar_one())
    return found
