"""What is read again and again is what a fresh look finds, whatever happened between."""

from __future__ import annotations

from random import Random

import pytest
from sqlalchemy import Engine, event

from ari_app.desk import numbers as desk
from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import from_document
from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.store.market import inventory, marketplaces, pauses
from ari_app.store.market.inforce import InForce
from ari_app.store.market.pauses import Pause
from tests.bench.market import Shape, document
from tests.kit.desk import assign, site_at
from tests.samples import ADA

NOWHERE = Geography({}, {})
STOCK = [f"+1212555{n:04d}" for n in range(8)]


def market(**changes: object) -> Marketplace:
    made = document(Shape(3, 4))
    made["numbers"] = dict(list(made["numbers"].items())[:20])
    made["numbers_policy"] = {"quarantine": "0s"}
    for destination in made["destinations"].values():
        destination["covers"] = {"anywhere": True}
    for campaign in made["campaigns"].values():
        campaign["applications"] = {"numbers_per_publisher": 50}
    return from_document(made | changes)


@pytest.fixture
def applied(engine: Engine) -> Engine:
    marketplaces.apply(engine, market(), 1_000)
    inventory.import_(engine, [Item(did, "local", "NY", "main") for did in STOCK], 1_000, 0)
    return engine


def test_before_an_apply_there_is_none(engine: Engine) -> None:
    assert InForce(engine).read() is None


def test_after_any_steps_it_is_what_a_fresh_look_finds(applied: Engine) -> None:
    """All in one moment, and in others: an apply, pauses, numbers given, taken, given again."""
    reader, random, given = InForce(applied), Random(7), list[str]()
    for n in range(60):
        now = 2_000 + n // 3
        match random.randrange(5):
            case 0:
                publishers = {f"publisher-{i}": {"name": f"P {n}"} for i in range(100)}
                marketplaces.apply(applied, market(publishers=publishers), now)
            case 1:
                pauses.pause(applied, Pause(f"agent-{random.randrange(9)}", now, "lunch", "operator"))
            case 2:
                pauses.resume(applied, f"agent-{random.randrange(9)}")
            case 3 if len(given) < len(STOCK):
                free = Wanted(did=random.choice([did for did in STOCK if did not in given]))
                number = Number(
                    f"campaign-{random.randrange(3)}", f"publisher-{random.randrange(9)}", f"s{n}"
                )
                given.append(assign(site_at(applied, now + 10**10), number, free))
            case _ if given:
                desk.release(site_at(applied, now + 10**10), ADA, given.pop())
        assert reader.read() == marketplaces.load(applied)


def test_a_step_of_the_desk_costs_what_it_changes(applied: Engine) -> None:
    reader = InForce(applied)
    first = reader.read()
    assert first is not None
    before = first.snapshot(NOWHERE)
    rows: list[str] = []
    event.listen(applied, "before_cursor_execute", lambda _c, _cursor, said, *_: rows.append(said))
    assign(site_at(applied, 2_000), Number("campaign-1", "publisher-1", None), Wanted(did=STOCK[0]))
    rows.clear()
    loaded = reader.read()
    assert loaded is not None
    assert not [said for said in rows if "document_json" in said or "terms_json" in said]
    snapshot = loaded.snapshot(NOWHERE, before)
    assert snapshot.areas is before.areas
    assert snapshot.marketplace.destinations is before.marketplace.destinations
    assert snapshot.marketplace.numbers[STOCK[0]] == Number("campaign-1", "publisher-1", None)
    assert snapshot == loaded.snapshot(NOWHERE)


def test_an_apply_makes_anew_what_it_changes(applied: Engine) -> None:
    reader = InForce(applied)
    before = reader.read()
    changed = market(publishers={f"publisher-{n}": {"name": "P"} for n in range(100)})
    marketplaces.apply(applied, changed, 2_000)
    after = reader.read()
    assert before is not None and after is not None
    assert after.marketplace.publishers["publisher-7"].name == "P"
    assert after.marketplace.destinations is before.marketplace.destinations
    assert after.marketplace.numbers is before.marketplace.numbers
