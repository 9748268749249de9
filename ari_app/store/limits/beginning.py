"""SQLite: counts the use of new caps that begin in the middle of their periods, while others can write.

A write transaction of SQLite keeps all others from writing, and to count a month's calls takes seconds. So the rules
of new caps are written first, in a short transaction before the apply. From then on, calls that are saved or corrected
count by themselves. Earlier calls are counted after that, as of that moment, and the apply adds them. If the apply
fails or is killed, its rules stay uncounted, and the next apply begins again.

PostgreSQL does not need this: there an apply that counts makes only saves wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from ari_app.domain.caps.counters import Rule, rules
from ari_app.domain.market.marketplace import Marketplace
from ari_app.store.db.atomic_files import locked
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.tables import cap_rules
from ari_app.store.limits import caprules


@contextmanager
def counted(
    engine: Engine, in_force: Callable[[Connection], Marketplace | None], marketplace: Marketplace, now: int
) -> Iterator[Mapping[tuple[str, int], int]]:
    """The use of the marketplace's new caps in their current periods, at `now` (ms), for `caprules.put`.

    By key and start of the period. Nobody else begins caps until the context ends. A cap is new if the marketplace in
    force does not have it, even if rules of it are already written: calls are offered by the marketplace in force.
    """
    if engine.dialect.name != "sqlite" or not _new(engine, lambda _: None, marketplace):
        yield {}
        return
    with locked(Path(engine.url.database or "").parent):
        new = _new(engine, in_force, marketplace)
        yield _counted(engine, new, now) if new else {}


def _new(
    engine: Engine, in_force: Callable[[Connection], Marketplace | None], marketplace: Marketplace
) -> list[Rule]:
    with reading(engine) as connection:
        found = caprules.not_there(connection, marketplace)
        before = in_force(connection) if found else None
    known = {rule.key for rule in rules(before)} if before else set()
    return [rule for rule in found if rule.key not in known]


def _counted(engine: Engine, new: Collection[Rule], now: int) -> Mapping[tuple[str, int], int]:
    with ExitStack() as until_counted:
        with writing(engine) as connection:
            caprules.begin(connection, new, now)
            then = until_counted.enter_context(reading(engine))
            then.execute(
                select(cap_rules.c.key).limit(1)
            )  # it sees what is saved by now: nobody else can save
        used = caprules.used_so_far(then, new, now)
    return {counter: used[counter] for counter in caprules.counters_of(new, now)}
