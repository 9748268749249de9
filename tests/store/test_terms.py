"""What decides about money is a version of a campaign's terms, which can be read for ever."""

import json
from dataclasses import replace

import pytest
from alembic import command
from sqlalchemy import Engine, insert

from ari_app.domain.basics.hours import Hours
from ari_app.domain.document.changes import words
from ari_app.domain.document.reading import to_document
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Advertiser
from ari_app.domain.market.terms import Clause, Staged
from ari_app.store.db import schema
from ari_app.store.db.engine import writing
from ari_app.store.db.errors import StepRefused
from ari_app.store.db.tables import marketplace_versions, terms
from ari_app.store.market import marketplaces
from ari_app.store.market.termversions import terms_of
from tests.store.markets import BEFORE, DEARER, LAST, LATER, NOW, terms_version, with_campaign


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
