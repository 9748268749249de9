"""How many numbers a second two processes hand out while they contend for the same stock, on SQLite.

`measure` makes a database and runs `python -m tests.bench.assignment URL` twice at once; each prints
the numbers that it took.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace

from ari_app.desk.refused import Refused
from ari_app.domain.market.campaigns import Applications, Campaign, Route
from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.market import inventory, marketplaces
from tests.kit.desk import assign, site_at

PROCESSES = 2
NUMBERS = 500  # those that are handed out
HELD = 50_000  # those that others have
LIMIT_S = 300
_NOW = 1_000
_CAMPAIGN = Campaign(
    advertiser="a", price=1, payout=1, route=Route(waves=()), applications=Applications(False, 1_000)
)
_MARKETPLACE = Marketplace(
    currency="USD",
    advertisers={"a": Advertiser("A")},
    publishers={"p": Publisher("P"), "other": Publisher("Other")},
    destinations={},
    campaigns={"c": _CAMPAIGN},
    numbers={},
)


@dataclass(frozen=True, slots=True)
class Contention:
    """Numbers handed out, how many of them twice, and numbers a second of all processes together."""

    given: int
    twice: int
    a_second: float


def measure() -> Contention:
    """Two processes take turns until the stock is empty."""
    with tempfile.TemporaryDirectory(prefix="callrace-bench-") as folder:
        url = f"sqlite:///{folder}/callrace.db"
        _prepare(url)
        command = [sys.executable, "-m", "tests.bench.assignment", url]
        began = time.perf_counter()
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
        taken = [did for one in running for did in one.communicate(timeout=LIMIT_S)[0].split()]
        took_s = time.perf_counter() - began
    return Contention(len(taken), len(taken) - len(set(taken)), len(taken) / took_s)


def report() -> str:
    """The section of RESULTS.md."""
    found = measure()
    return f"""## Numbers assigned under contention

{PROCESSES} processes hand out the same {NUMBERS} numbers, on SQLite, while others have {HELD:,}.

| handed out | twice | a second, both together |
|---:|---:|---:|
| {found.given} | {found.twice} | {found.a_second:.0f} |
"""


def _prepare(url: str) -> None:
    engine = open_engine(url)
    schema.upgrade(engine)
    dids = [f"+1212{n:07}" for n in range(HELD + NUMBERS)]
    held = dict.fromkeys(dids[:HELD], Number("c", "other"))
    marketplaces.apply(engine, replace(_MARKETPLACE, numbers=held), _NOW)
    inventory.import_(engine, [Item(did, "local", "NY", "main") for did in dids], _NOW, 0)
    engine.dispose()


def _take_all(url: str) -> None:
    engine = open_engine(url)
    while True:
        try:
            print(assign(site_at(engine, _NOW + 1), Number("c", "p"), Wanted(region="NY")))
        except Refused:
            return


if __name__ == "__main__":
    _take_all(sys.argv[1])
