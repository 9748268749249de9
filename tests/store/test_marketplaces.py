"""A marketplace is applied whole, in versions; what it said before can still be asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from ari_app.domain.document.changes import words
from ari_app.domain.market.marketplace import Creative, Marketplace, Number
from ari_app.domain.market.parties import Publisher
from ari_app.domain.numbers.holdings import Assignment
from ari_app.store.db import revision
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.errors import DocumentUnreadable, MarketplaceMoved, StepRefused
from ari_app.store.db.tables import marketplace_versions, terms
from ari_app.store.limits import beginning
from ari_app.store.market import marketplaces, numbers, pauses
from ari_app.store.market.inforce import InForce
from ari_app.store.market.pauses import Pause
from tests.store.markets import BEFORE, DEARER, DID, LAST, LATER, NOW, OTHER_DID, with_campaign


def test_nothing_is_loaded_before_anything_was_applied(engine: Engine) -> None:
    assert marketplaces.load(engine) is None


def test_what_was_applied_is_what_is_loaded(engine: Engine) -> None:
    applied = marketplaces.apply(engine, BEFORE, NOW)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.marketplace == BEFORE
    assert loaded.version == applied.version == 1
    assert loaded.terms_versions == {"plumbing": 1}


def test_the_same_marketplace_again_is_the_same_version(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    counter = revision.read(engine)
    again = marketplaces.apply(engine, BEFORE, LATER)
    assert (again.version, again.changes) == (1, [])
    assert revision.read(engine) == counter


def test_a_change_is_a_new_version_that_a_switch_can_notice(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    counter = revision.read(engine)
    assert marketplaces.apply(engine, DEARER, LATER).version == 2
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.revision == revision.read(engine) > counter


def test_the_changes_are_named(engine: Engine) -> None:
    first = words(marketplaces.apply(engine, BEFORE, NOW).changes)
    assert "number +18005550101 added: campaign plumbing; publisher homefix; source sidebar" in first
    assert any(line.startswith("campaign plumbing") and "terms version 1 (new)" in line for line in first)
    without = replace(DEARER, publishers={"homefix": Publisher("HomeFix")})
    assert words(marketplaces.apply(engine, without, LATER).changes) == [
        "publisher bluebird removed",
        "campaign plumbing changed",
        "  price: 42.00 -> 50.00",
        "  terms: version 1 -> version 2 (new)",
    ]


def test_a_plan_is_what_the_apply_then_does(engine: Engine) -> None:
    emptied = replace(BEFORE, numbers={}, campaigns={})
    for marketplace in (BEFORE, BEFORE, DEARER, BEFORE, emptied, DEARER):
        planned = marketplaces.plan(engine, marketplace, NOW)
        assert marketplaces.apply(engine, marketplace, NOW) == planned


def test_a_plan_changes_nothing(engine: Engine) -> None:
    marketplaces.plan(engine, BEFORE, NOW)
    assert marketplaces.load(engine) is None
    marketplaces.apply(engine, BEFORE, NOW)
    before = marketplaces.load(engine)
    marketplaces.plan(engine, DEARER, NOW)
    assert marketplaces.load(engine) == before


def test_what_a_newer_program_applied_leaves_the_last_one_that_can_be_read_in_force(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    _apply_of_a_newer_program(engine, 2)
    _apply_of_a_newer_program(engine, 3)
    loaded = InForce(engine).read()
    assert loaded is not None
    assert (loaded.version, loaded.marketplace) == (1, BEFORE)
    assert loaded.unreadable is not None
    assert "marketplace 3 cannot be read" in loaded.unreadable
    assert "campaigns.plumbing.route.ring_strategy" in loaded.unreadable
    for refused in (
        lambda: marketplaces.load(engine),
        lambda: marketplaces.load_version(engine, 2),
        lambda: marketplaces.apply(engine, DEARER, LAST),
    ):
        with pytest.raises(DocumentUnreadable):
            refused()


def test_a_number_of_a_campaign_that_only_the_unreadable_marketplace_has_is_nobodys(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    _apply_of_a_newer_program(engine, 2)
    with writing(engine) as connection:
        numbers.begin(connection, {"+18005550999": Number("roofing", "homefix")}, LAST, "file")
    loaded = InForce(engine).read()
    assert loaded is not None
    assert set(loaded.marketplace.numbers) == set(BEFORE.numbers)


def test_a_marketplace_that_nothing_can_be_read_of_is_said_to_be_so(engine: Engine) -> None:
    with writing(engine) as connection:
        row = {"version": 1, "applied_at": NOW, "document_json": '["no marketplace"]'}
        connection.execute(insert(marketplace_versions), row)
    with pytest.raises(DocumentUnreadable, match="marketplace 1 cannot be read"):
        InForce(engine).read()


def _apply_of_a_newer_program(engine: Engine, version: int) -> None:
    """Its documents have a field that nobody knows here."""
    with writing(engine) as connection:
        newest = select(marketplace_versions.c.document_json).order_by(marketplace_versions.c.version.desc())
        document = json.loads(connection.execute(newest.limit(1)).scalar_one())
        document["campaigns"]["plumbing"]["route"]["ring_strategy"] = "all"
        row = {"version": version, "applied_at": LATER, "document_json": json.dumps(document)}
        connection.execute(insert(marketplace_versions), row)
        revision.rise(connection)


def test_a_number_belongs_to_one_publisher_at_a_time_and_its_history_is_kept(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    moved = replace(BEFORE, numbers={DID: Number("plumbing", "bluebird", "sidebar")})
    marketplaces.apply(engine, moved, LATER)
    marketplaces.apply(engine, replace(BEFORE, numbers={}), LAST)
    first = Assignment(DID, "plumbing", "homefix", "sidebar", NOW, LATER)
    second = Assignment(DID, "plumbing", "bluebird", "sidebar", LATER, LAST)
    assert numbers.history(engine, DID) == [first, second]
    moments = (NOW - 1, NOW, LATER - 1, LATER, LAST)
    found = [numbers.assigned_at(numbers.history(engine, DID), at) for at in moments]
    assert found == [None, first, first, second, None]


def test_a_number_that_did_not_change_keeps_its_beginning(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    marketplaces.apply(
        engine, replace(BEFORE, numbers={**BEFORE.numbers, OTHER_DID: Number("plumbing", "homefix")}), LATER
    )
    assert [assignment.from_at for assignment in numbers.history(engine, DID)] == [NOW]
    assert [assignment.from_at for assignment in numbers.history(engine, OTHER_DID)] == [LATER]


def test_a_clock_that_went_back_does_not_end_an_assignment_before_it_began(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, LATER)
    marketplaces.apply(engine, replace(BEFORE, numbers={}), NOW)
    assert numbers.history(engine, DID)[0].to_at == LATER


def test_a_failure_half_way_applies_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the machine stops here")

    monkeypatch.setattr(numbers, "assign", fail)
    with pytest.raises(RuntimeError):
        marketplaces.apply(engine, BEFORE, NOW)
    with reading(engine) as connection:
        for table in (marketplace_versions, terms):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0


def test_pauses_are_loaded_with_their_reasons(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    pauses.pause(engine, Pause("agent-1", NOW, "lunch", "operator"))
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.pauses == {"agent-1": "lunch"}


def test_a_change_to_a_marketplace_that_is_not_in_force_any_more_is_refused(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW, based_on=0)
    marketplaces.apply(engine, with_campaign(BEFORE, price=5000), LATER, based_on=1)
    with pytest.raises(MarketplaceMoved):
        marketplaces.apply(engine, with_campaign(BEFORE, price=6000), LAST, based_on=1)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.marketplace.campaigns["plumbing"].price == 5000


def test_a_campaign_does_not_come_back_from_its_end(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    ended = with_campaign(BEFORE, status="ended")
    marketplaces.apply(engine, ended, LATER)
    for attempt in (marketplaces.plan, marketplaces.apply):
        with pytest.raises(StepRefused, match="campaign plumbing cannot go from ended to live"):
            attempt(engine, BEFORE, LAST)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.marketplace == ended


def test_creatives_are_kept_with_the_marketplace(engine: Engine) -> None:
    ad = Creative("plumbing", "text", text="Burst pipe? {number}", status="approved")
    marketplace = replace(BEFORE, creatives={"sms": ad})
    marketplaces.apply(engine, marketplace, NOW)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.marketplace.creatives == {"sms": ad}


def test_while_an_apply_compares_documents_others_may_write(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    newest, is_writing = marketplaces._newest, list[bool]()

    def watched(connection: Connection) -> object:
        is_writing.append(connection.get_execution_options().get("writes", False))
        return newest(connection)

    monkeypatch.setattr(marketplaces, "_newest", watched)
    marketplaces.apply(engine, DEARER, LATER)
    assert is_writing == [False]


def test_an_apply_that_another_overtakes_is_compared_with_that(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    marketplaces.apply(engine, BEFORE, NOW)

    def overtaken_by(other: Marketplace) -> None:
        @contextmanager
        def overtaken(*_: object) -> Iterator[dict[tuple[str, int], int]]:
            monkeypatch.undo()
            marketplaces.apply(engine, other, LATER)
            yield {}

        monkeypatch.setattr(beginning, "counted", overtaken)

    overtaken_by(DEARER)
    applied = marketplaces.apply(engine, with_campaign(BEFORE, price=6000), LATER)
    assert (applied.version, words(applied.changes)[1]) == (3, "  price: 50.00 -> 60.00")
    overtaken_by(BEFORE)
    with pytest.raises(MarketplaceMoved):
        marketplaces.apply(engine, DEARER, LAST, based_on=3)
    overtaken_by(DEARER)
    assert marketplaces.apply(engine, DEARER, LAST).changes == []
