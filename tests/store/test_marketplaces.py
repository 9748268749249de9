"""A marketplace is applied whole, in versions; what it said before can still be asked."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, func, insert, select

from ari_app.domain.basics.hours import Hours
from ari_app.domain.document.changes import words
from ari_app.domain.document.reading import to_document
from ari_app.domain.market.campaigns import Campaign, Route, Wave
from ari_app.domain.market.destinations import Coverage, Destination, Dial
from ari_app.domain.market.marketplace import Creative, Marketplace, Number
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.domain.market.terms import Clause, Staged
from ari_app.domain.numbers.holdings import Assignment
from ari_app.store.db import revision, schema
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.errors import DocumentUnreadable, MarketplaceMoved, StepRefused
from ari_app.store.db.tables import marketplace_versions, terms
from ari_app.store.limits import beginning
from ari_app.store.market import marketplaces, numbers, pauses
from ari_app.store.market.inforce import InForce
from ari_app.store.market.pauses import Pause
from ari_app.store.market.termversions import terms_of

DID, OTHER_DID = "+18005550101", "+18005550102"
NOW, LATER, LAST = 1000, 2000, 3000
BEFORE = Marketplace(
    currency="USD",
    advertisers={"acme": Advertiser("Acme", timezone="America/New_York")},
    publishers={"homefix": Publisher("HomeFix"), "bluebird": Publisher("Bluebird")},
    destinations={
        "agent-1": Destination(
            advertiser="acme",
            dial=Dial(uri="sip:agent-1@127.0.0.1:5071"),
            covers=Coverage(states=frozenset({"NY", "NJ"})),
        )
    },
    campaigns={
        "plumbing": Campaign(
            advertiser="acme",
            price=4200,
            payout=3000,
            route=Route(waves=(Wave(destinations=("agent-1",)),)),
            qualify=(
                Clause(connected_at_least=90_000),
                Clause(answer_in={"service": frozenset({"repair", "install"})}),
            ),
        )
    },
    numbers={DID: Number("plumbing", "homefix", "sidebar")},
)


def with_campaign(marketplace: Marketplace, **changes: object) -> Marketplace:
    """The marketplace with its one campaign changed."""
    campaign = replace(marketplace.campaigns["plumbing"], **changes)  # type: ignore[arg-type]
    return replace(marketplace, campaigns={"plumbing": campaign})


DEARER = with_campaign(BEFORE, price=5000)


def terms_version(engine: Engine) -> int:
    """The version of the campaign's terms in force."""
    loaded = marketplaces.load(engine)
    assert loaded is not None
    return loaded.terms_versions["plumbing"]


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


def test_terms_that_come_back_are_told_as_such(engine: Engine) -> None:
    for marketplace in (BEFORE, DEARER):
        marketplaces.apply(engine, marketplace, NOW)
    assert words(marketplaces.plan(engine, BEFORE, NOW).changes)[-1] == (
        "  terms: version 2 -> version 1 (as it was before)"
    )


@pytest.mark.parametrize(
    "changed",
    [
        with_campaign(BEFORE, price=1),
        with_campaign(BEFORE, payout=1),
        with_campaign(BEFORE, qualify=()),
        replace(BEFORE, currency="EUR"),
        replace(BEFORE, advertisers={"acme": Advertiser("Acme", timezone="America/Chicago")}),
    ],
    ids=["price", "payout", "clauses", "currency", "zone"],
)
def test_what_decides_about_money_makes_new_terms(engine: Engine, changed: Marketplace) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    marketplaces.apply(engine, changed, LATER)
    assert terms_version(engine) == 2


def test_what_does_not_leaves_the_terms_as_they_are(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    marketplaces.apply(engine, with_campaign(BEFORE, hours=Hours(open=("daily 08:00-20:00",))), LATER)
    assert terms_version(engine) == 1


def test_terms_that_come_back_are_the_version_that_they_were(engine: Engine) -> None:
    for marketplace in (BEFORE, DEARER, BEFORE):
        marketplaces.apply(engine, marketplace, NOW)
    assert terms_version(engine) == 1
    marketplaces.apply(engine, with_campaign(BEFORE, price=6000), NOW)
    assert terms_version(engine) == 3


def test_old_terms_can_still_be_read(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    marketplaces.apply(engine, DEARER, LATER)
    old, new = (terms_of(engine, "plumbing", version) for version in (1, 2))
    assert old is not None
    assert new is not None
    assert (old["price"], new["price"]) == ("42.00", "50.00")
    assert terms_of(engine, "plumbing", 3) is None


def test_an_older_marketplace_can_still_be_loaded_with_its_terms(engine: Engine) -> None:
    marketplaces.apply(engine, BEFORE, NOW)
    marketplaces.apply(engine, DEARER, LATER)
    older = marketplaces.load_version(engine, 1)
    assert older is not None
    assert (older.version, older.terms_versions) == (1, {"plumbing": 1})
    assert older.marketplace == replace(BEFORE, numbers={})  # whose they were, each call is pinned to
    assert marketplaces.load_version(engine, 3) is None


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


def _with_block(block: frozenset[str] | tuple[str, ...], *clauses: Clause) -> Marketplace:
    campaign = BEFORE.campaigns["plumbing"]
    screen = replace(campaign.screen, block=block)
    return replace(BEFORE, campaigns={"plumbing": replace(campaign, screen=screen, qualify=clauses)})


def test_a_block_list_belongs_to_the_terms_that_ask_for_it_and_to_no_others(engine: Engine) -> None:
    asks, does_not = Clause(not_blocked=True), Clause(connected_at_least=90_000)
    versions = []
    for at, marketplace in enumerate(
        [
            _with_block(("+1212*",), does_not),
            _with_block(("+1310*",), does_not),
            _with_block(("+1310*",), asks),
            _with_block(("+1310*", "+1212*"), asks),
            _with_block(("+1310*",), asks),
        ]
    ):
        marketplaces.apply(engine, marketplace, NOW + at)
        loaded = marketplaces.load(engine)
        assert loaded is not None
        versions.append(loaded.terms_versions["plumbing"])
    assert versions == [1, 1, 2, 3, 2]
    terms_ = terms_of(engine, "plumbing", 3)
    assert terms_ is not None
    assert terms_["block"] == ["+1212*", "+1310*"]


def test_terms_from_before_block_lists_were_theirs_get_a_version_that_has_it(empty: Engine) -> None:
    document = to_document(_with_block(("+1310*", "+1212*"), Clause(not_blocked=True)))
    del document["numbers"]
    old = {
        "advertiser": "acme",
        "currency": "USD",
        "timezone": "America/New_York",
        "price": "42.00",
        "payout": "30.00",
        "qualify": [{"not_blocked": True}],
    }
    config = schema._config()
    with writing(empty) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
        row = {"version": 1, "applied_at": NOW, "document_json": json.dumps(document)}
        connection.execute(insert(marketplace_versions), row)
        its = {"campaign": "plumbing", "version": 1, "fingerprint": "old", "created_at": NOW}
        connection.execute(insert(terms), its | {"terms_json": json.dumps(old)})
    schema.upgrade(empty)
    loaded = marketplaces.load(empty)
    assert loaded is not None
    assert loaded.terms_versions == {"plumbing": 2}
    assert terms_of(empty, "plumbing", 1) == old
    assert terms_of(empty, "plumbing", 2) == old | {"block": ["+1212*", "+1310*"]}


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


def test_staged_terms_are_a_version_of_their_own_which_stays_when_they_are_folded_in(engine: Engine) -> None:
    marketplaces.apply(engine, with_campaign(BEFORE, staged=Staged(LATER, price=5000)), NOW)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert (loaded.terms_versions, loaded.staged_versions) == ({"plumbing": 1}, {"plumbing": 2})
    assert marketplaces.apply(engine, DEARER, LATER).changes == []  # that is what is in force by then
    changed = marketplaces.apply(engine, with_campaign(DEARER, status="paused"), LATER)
    assert words(changed.changes) == ["campaign plumbing changed", "  status: live -> paused"]
    assert terms_version(engine) == 2


STAGED = with_campaign(BEFORE, staged=Staged(LATER, price=5000))


def test_the_same_file_is_the_same_after_the_moment_of_what_it_has_staged(engine: Engine) -> None:
    marketplaces.apply(engine, STAGED, NOW)
    assert marketplaces.plan(engine, STAGED, LATER).changes == []
    assert words(marketplaces.plan(engine, with_campaign(BEFORE, price=5500), LATER).changes) == [
        "campaign plumbing changed",
        "  price: 50.00 -> 55.00",
        "  terms: version 2 -> version 3 (new)",
    ]


@pytest.mark.parametrize(
    ("edited", "words"),
    [
        (with_campaign(STAGED, price=4500), "hide its own price: write what is to count in their place"),
        (BEFORE, "price would be again what it was before"),
        (with_campaign(STAGED, staged=Staged(LAST, price=6000)), "price would be again what it was before"),
    ],
)
def test_an_edit_that_staged_terms_hide_or_that_undoes_them_unawares_is_refused(
    engine: Engine, edited: Marketplace, words: str
) -> None:
    marketplaces.apply(engine, STAGED, NOW)
    for do in (marketplaces.plan, marketplaces.apply):
        with pytest.raises(StepRefused, match=words):
            do(engine, edited, LATER)
    before_its_time = with_campaign(STAGED, price=4500)
    assert marketplaces.apply(engine, before_its_time, LATER - 1).changes


def test_who_knows_what_is_in_force_may_go_back(engine: Engine) -> None:
    version = marketplaces.apply(engine, STAGED, NOW).version
    assert marketplaces.apply(engine, BEFORE, LATER, based_on=version).changes


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
