"""Whose a number is: what the file says, what the desk gave, and that nobody ever shares one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import IntegrityError

from ari_app.desk import numbers as desk
from ari_app.desk.refused import Refused
from ari_app.domain.document.changes import words
from ari_app.domain.market.campaigns import Applications
from ari_app.domain.market.marketplace import Marketplace, Number, NumbersPolicy
from ari_app.domain.numbers.inventory import Item, Wanted
from ari_app.store.db import revision
from ari_app.store.db.engine import open_engine, reading, writing
from ari_app.store.db.errors import NumbersInUse
from ari_app.store.db.tables import marketplace_versions, number_assignments
from ari_app.store.market import inventory, marketplaces, numbers
from ari_app.store.market.inventory import Imported
from tests.kit.desk import assign, site_at
from tests.samples import ADA
from tests.store.markets import BEFORE, DID, with_campaign

NOW, LATER, LAST = 1000, 2000, 3000
QUARANTINE_MS = 500
NY, NY_TOO, NJ, FREE = "+12125550100", "+12125550101", "+12015550100", "+18885550100"
STOCK = [
    Item(NY, "local", "NY", "main"),
    Item(NY_TOO, "local", "NY", "main"),
    Item(NJ, "local", "NJ", "main"),
    Item(FREE, "tollfree", None, "main"),
]
MARKET = replace(
    with_campaign(BEFORE, applications=Applications(numbers_per_publisher=50)),
    numbers_policy=NumbersPolicy(quarantine=QUARANTINE_MS),
)
HOMEFIX, BLUEBIRD = Number("plumbing", "homefix"), Number("plumbing", "bluebird", "radio")
ANY, IN_NY = Wanted(), Wanted(region="NY")


@pytest.fixture
def market(engine: Engine) -> Engine:
    """MARKET in force, and STOCK imported."""
    marketplaces.apply(engine, MARKET, NOW)
    inventory.import_(engine, STOCK, NOW, QUARANTINE_MS)
    return engine


def in_force(engine: Engine) -> Marketplace:
    """The marketplace in force."""
    loaded = marketplaces.load(engine)
    assert loaded is not None
    return loaded.marketplace


def status(engine: Engine, did: str, now: int) -> str:
    """What a number is."""
    return {holding.did: holding.status(now) for holding in inventory.holdings(engine)}[did]


# The inventory


def test_importing_the_same_again_changes_nothing(market: Engine) -> None:
    before = inventory.holdings(market)
    assert inventory.import_(market, STOCK, LATER, QUARANTINE_MS) == Imported(added=0, changed=0, same=4)
    assert inventory.holdings(market) == before


def test_an_import_corrects_what_is_there_and_leaves_whose_it_is(market: Engine) -> None:
    assign(site_at(market, LATER), HOMEFIX, Wanted(did=NY))
    assert inventory.import_(market, [Item(NY, "local", "NY", "other")], LATER, QUARANTINE_MS) == Imported(
        0, 1, 0
    )
    found = {holding.did: holding for holding in inventory.holdings(market)}[NY]
    assert (found.trunk, found.publisher) == ("other", "homefix")


def test_a_new_number_that_somebody_had_before_rests_first(market: Engine) -> None:
    marketplaces.apply(market, replace(MARKET, numbers={}), LATER)
    inventory.import_(market, [Item(DID, "tollfree", None, "main")], LAST, LAST - LATER + 1)
    assert [status(market, DID, at) for at in (LAST, LAST + 1)] == ["quarantined", "free"]


# Assigning and releasing


def test_an_assigned_number_is_in_force_and_a_switch_can_notice(market: Engine) -> None:
    counter = revision.read(market)
    did = assign(site_at(market, LATER), BLUEBIRD, IN_NY)
    assert in_force(market).numbers == {**MARKET.numbers, did: BLUEBIRD}
    assert revision.read(market) > counter


def test_a_state_gets_a_local_number_of_it_until_there_is_none(market: Engine) -> None:
    assert {assign(site_at(market, LATER), HOMEFIX, IN_NY) for _ in range(2)} == {NY, NY_TOO}
    with pytest.raises(Refused, match="the stock is short: 1 wanted, 0 free in NY"):
        assign(site_at(market, LATER), HOMEFIX, IN_NY)
    assert assign(site_at(market, LATER), HOMEFIX, Wanted(kind="tollfree")) == FREE


def test_a_refusal_changes_nothing_and_tells_no_switch(market: Engine) -> None:
    counter = revision.read(market)
    for number, wanted in (
        (HOMEFIX, Wanted(did=DID)),
        (HOMEFIX, Wanted(did="+12125559999")),
        (Number("roofing", "homefix"), ANY),
        (Number("plumbing", "nobody"), ANY),
    ):
        with pytest.raises(Refused):
            assign(site_at(market, LATER), number, wanted)
    assert (revision.read(market), in_force(market)) == (counter, MARKET)


def test_a_released_number_rests_before_it_is_given_again(market: Engine) -> None:
    did = assign(site_at(market, LATER), HOMEFIX, Wanted(region="NJ"))
    held, rests_until = desk.release(site_at(market, LAST), ADA, did)
    assert (held.publisher, rests_until) == ("homefix", LAST + QUARANTINE_MS)
    assert status(market, did, LAST) == "quarantined"
    with pytest.raises(Refused, match="in quarantine"):
        assign(site_at(market, LAST + QUARANTINE_MS - 1), BLUEBIRD, Wanted(did=did))
    assert assign(site_at(market, LAST + QUARANTINE_MS), BLUEBIRD, Wanted(did=did)) == did


def test_the_number_that_has_rested_longest_is_given_first(market: Engine) -> None:
    desk.release(site_at(market, LATER), ADA, assign(site_at(market, LATER), HOMEFIX, Wanted(did=NY)))
    assert assign(site_at(market, LATER + QUARANTINE_MS), HOMEFIX, IN_NY) == NY_TOO


def test_what_was_done_while_the_clock_was_ahead_is_seen_and_what_follows_keeps_its_order(
    market: Engine,
) -> None:
    assert marketplaces.changed_at(market) == NOW
    assign(site_at(market, LAST), HOMEFIX, Wanted(did=NY))
    assert marketplaces.changed_at(market) == LAST
    desk.release(site_at(market, LATER), ADA, NY)  # the clock was put back
    assert marketplaces.changed_at(market) == LAST
    [was] = numbers.history(market, NY)
    assert (was.from_at, was.to_at) == (LAST, LAST)


def test_a_late_call_is_attributed_to_whom_the_number_belonged(market: Engine) -> None:
    assign(site_at(market, LATER), HOMEFIX, Wanted(did=NY))
    desk.release(site_at(market, LAST), ADA, NY)
    again = LAST + QUARANTINE_MS
    assign(site_at(market, again), BLUEBIRD, Wanted(did=NY))
    moments = (LATER - 1, LATER, LAST - 1, LAST, again)
    found = [numbers.assigned_at(numbers.history(market, NY), at) for at in moments]
    assert [one and one.publisher for one in found] == [None, "homefix", "homefix", None, "bluebird"]
    assert in_force(market).numbers.get(NY) == BLUEBIRD


def test_a_number_of_the_file_is_released_by_the_file_alone(market: Engine) -> None:
    with pytest.raises(Refused, match="is in the marketplace's file"):
        desk.release(site_at(market, LATER), ADA, DID)
    with pytest.raises(Refused, match="is nobody's"):
        desk.release(site_at(market, LATER), ADA, NY)


def test_a_publisher_gets_no_more_numbers_than_the_campaign_gives(engine: Engine) -> None:
    marketplaces.apply(engine, with_campaign(BEFORE, applications=Applications(numbers_per_publisher=2)), NOW)
    inventory.import_(engine, STOCK, NOW, QUARANTINE_MS)
    assign(site_at(engine, LATER), HOMEFIX, ANY)  # the file gave it one
    with pytest.raises(Refused, match="homefix has 2 of the 2 numbers"):
        assign(site_at(engine, LATER), HOMEFIX, ANY)
    assign(site_at(engine, LATER), BLUEBIRD, ANY)


# The file and the desk


def test_what_is_exported_plans_to_nothing_and_applying_it_keeps_the_desks_numbers(market: Engine) -> None:
    assign(site_at(market, LATER), BLUEBIRD, Wanted(did=NY))
    exported = in_force(market)
    assert marketplaces.plan(market, exported, LAST).changes == []
    marketplaces.apply(market, exported, LATER)
    assert marketplaces.plan(market, MARKET, LAST).changes == []


def test_an_apply_leaves_the_desks_numbers_and_ends_the_files(market: Engine) -> None:
    assign(site_at(market, LATER), BLUEBIRD, Wanted(did=NY))
    assert words(marketplaces.apply(market, replace(MARKET, numbers={}), LAST).changes) == [
        f"number {DID} removed"
    ]
    assert in_force(market).numbers == {NY: BLUEBIRD}


def test_a_file_that_names_a_number_of_the_desk_otherwise_takes_it_over(market: Engine) -> None:
    assign(site_at(market, LATER), BLUEBIRD, Wanted(did=NY))
    taken = replace(MARKET, numbers={**MARKET.numbers, NY: HOMEFIX})
    assert marketplaces.plan(market, taken, LAST).changes[0].kind == "moved"
    marketplaces.apply(market, taken, LAST)
    assert [one.origin for one in numbers.history(market, NY)] == ["desk", "file"]
    marketplaces.apply(market, MARKET, LAST)
    assert NY not in in_force(market).numbers


def test_a_number_that_falls_out_of_the_file_rests_if_it_is_in_the_inventory(market: Engine) -> None:
    marketplaces.apply(market, replace(MARKET, numbers={**MARKET.numbers, NY: HOMEFIX}), LATER)
    assert status(market, NY, LATER) == "assigned"
    marketplaces.apply(market, MARKET, LAST)
    assert status(market, NY, LAST) == "quarantined"
    assert status(market, NY, LAST + QUARANTINE_MS) == "free"


@pytest.mark.parametrize("part", ["campaigns", "publishers"])
def test_an_apply_that_would_orphan_a_number_of_the_desk_is_refused(market: Engine, part: str) -> None:
    assign(site_at(market, LATER), BLUEBIRD, Wanted(did=NY))
    without = replace(MARKET, numbers={}, **{part: {}})
    for act in (marketplaces.plan, marketplaces.apply):
        with pytest.raises(NumbersInUse, match="which the desk gave it, and is not in the file"):
            act(market, without, LAST)
    assert in_force(market).numbers == {**MARKET.numbers, NY: BLUEBIRD}


def test_a_desk_with_a_slow_clock_still_acts_in_the_time_of_the_rules(market: Engine) -> None:
    assign(site_at(market, NOW - 500), BLUEBIRD, Wanted(did=NY))
    assert numbers.history(market, NY)[0].from_at == NOW


def test_a_number_given_again_by_a_slow_clock_is_never_two_publishers(engine: Engine) -> None:
    marketplaces.apply(engine, replace(MARKET, numbers_policy=NumbersPolicy(quarantine=0)), NOW)
    inventory.import_(engine, STOCK, NOW, 0)
    assign(site_at(engine, LAST), HOMEFIX, Wanted(did=NY))
    desk.release(site_at(engine, LATER), ADA, NY)
    assign(site_at(engine, LATER), BLUEBIRD, Wanted(did=NY))
    assert [(one.from_at, one.to_at) for one in numbers.history(engine, NY)] == [(LAST, LAST), (LAST, None)]


def test_an_apply_with_a_slow_clock_does_not_overlap_what_the_desk_did(market: Engine) -> None:
    assign(site_at(market, LATER), BLUEBIRD, Wanted(did=NY))
    desk.release(site_at(market, LAST), ADA, NY)
    marketplaces.apply(market, replace(MARKET, numbers={NY: HOMEFIX}), NOW)
    assert [(one.from_at, one.to_at) for one in numbers.history(market, NY)] == [(LATER, LAST), (LAST, None)]


def test_assigning_one_number_writes_one_row(market: Engine) -> None:
    with reading(market) as connection:
        before = connection.execute(text("SELECT count(*), max(version) FROM marketplace_versions")).one()
    assign(site_at(market, LATER), BLUEBIRD, ANY)
    with reading(market) as connection:
        assert connection.execute(text("SELECT count(*) FROM number_assignments")).scalar() == 2
        after = connection.execute(text("SELECT count(*), max(version) FROM marketplace_versions")).one()
    assert after == before


def test_the_versions_say_nothing_of_numbers(market: Engine) -> None:
    with reading(market) as connection:
        document = connection.execute(marketplace_versions.select()).one().document_json
    assert DID not in document


# Races


def _assign_until_short(url: str) -> list[str]:
    """A process's work: takes numbers until there are none, with an engine of its own."""
    engine, taken = open_engine(url), []
    try:
        while True:
            taken.append(assign(site_at(engine, LATER), HOMEFIX, ANY))
    except Refused:
        return taken
    finally:
        engine.dispose()


def test_two_that_assign_at_once_never_hand_out_the_same_number(market: Engine, empty_url: str) -> None:
    stock = [Item(f"+1212556{n:04}", "local", "NY", "main") for n in range(20)]
    inventory.import_(market, stock, NOW, QUARANTINE_MS)
    with ThreadPoolExecutor(4) as pool:
        taken = [did for dids in pool.map(_assign_until_short, [empty_url] * 4) for did in dids]
    assert sorted(taken) == sorted(item.did for item in [*stock, *STOCK])


def test_the_limit_holds_when_many_assign_at_once(engine: Engine, empty_url: str) -> None:
    marketplaces.apply(engine, with_campaign(BEFORE, applications=Applications(numbers_per_publisher=3)), NOW)
    inventory.import_(engine, STOCK, NOW, QUARANTINE_MS)
    with ThreadPoolExecutor(4) as pool:
        taken = [did for dids in pool.map(_assign_until_short, [empty_url] * 4) for did in dids]
    assert len(taken) == 2  # and the one of the file


def test_the_database_itself_refuses_a_second_owner(market: Engine) -> None:
    row = {"did": DID, "campaign": "plumbing", "publisher": "bluebird", "from_at": NOW}
    with pytest.raises(IntegrityError), writing(market) as connection:
        connection.execute(insert(number_assignments), row)
