"""An application's way from request to numbers, and what a suspension does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, delete, update
from sqlalchemy.exc import DBAPIError

from ari_app.access.actor import Actor
from ari_app.desk import applications as desk
from ari_app.desk.refused import Code, Refused
from ari_app.domain.market.campaigns import Applications
from ari_app.domain.market.marketplace import Number
from ari_app.domain.numbers.applications import Application, ApplicationEvent, suspended_at
from ari_app.domain.numbers.inventory import Wanted
from ari_app.store.db import auditlog
from ari_app.store.db.engine import open_engine, reading, writing
from ari_app.store.db.tables import application_events
from ari_app.store.market import applications, inventory, marketplaces, numbers
from tests.kit.desk import site_at
from tests.samples import ADA
from tests.store.markets import BEFORE, with_campaign
from tests.store.test_numbers import ANY, LAST, LATER, MARKET, NOW, QUARANTINE_MS, STOCK


@pytest.fixture
def market(engine: Engine) -> Engine:
    """MARKET in force, and STOCK imported."""
    marketplaces.apply(engine, MARKET, NOW)
    inventory.import_(engine, STOCK, NOW, QUARANTINE_MS)
    return engine


@pytest.fixture
def pending(market: Engine) -> Application:
    """Bluebird's application to the campaign."""
    return desk.submit(site_at(market, LATER), ADA, campaign="plumbing", publisher="bluebird").application


def decide(engine: Engine, id: int, event: ApplicationEvent, note: str = "as agreed", at: int = LATER) -> str:
    """The state after the event."""
    return desk.decide(site_at(engine, at), ADA, id, event, note).state


def numbers_of(engine: Engine, publisher: str) -> int:
    """How many numbers the publisher has."""
    with reading(engine) as connection:
        return numbers.count(connection, "plumbing", publisher)


def test_an_application_that_is_approved_gets_its_numbers(market: Engine, pending: Application) -> None:
    approved, dids = desk.approve(
        site_at(market, LATER), ADA, pending.id, count=2, wanted=Wanted(region="NY"), source="radio"
    )
    assert (pending.state, approved.state, len(dids)) == ("pending", "approved", 2)
    loaded = marketplaces.load(market)
    assert loaded is not None
    assert {loaded.marketplace.numbers[did] for did in dids} == {Number("plumbing", "bluebird", "radio")}


def test_an_approval_that_the_stock_cannot_fulfil_does_nothing(market: Engine, pending: Application) -> None:
    with pytest.raises(Refused, match="3 wanted, 2 free in NY"):
        desk.approve(site_at(market, LATER), ADA, pending.id, count=3, wanted=Wanted(region="NY"))
    assert applications.all_of(market) == [pending]
    assert numbers_of(market, "bluebird") == 0


def test_an_approval_without_numbers_is_possible(market: Engine, pending: Application) -> None:
    assert desk.approve(site_at(market, LATER), ADA, pending.id, count=0, wanted=ANY)[1] == []


def test_a_declined_publisher_may_apply_again_and_the_reason_is_kept(
    market: Engine, pending: Application
) -> None:
    decide(market, pending.id, "decline", "no licence")
    assert (
        desk.submit(site_at(market, LAST), ADA, campaign="plumbing", publisher="bluebird").application.id
        == pending.id
    )
    steps = applications.history(market, pending.id)
    assert [(step.event, step.note) for step in steps] == [
        ("submit", None), ("decline", "no licence"), ("submit", None)
    ]  # fmt: skip


def test_what_cannot_happen_says_what_can(market: Engine, pending: Application) -> None:
    with pytest.raises(Refused, match=r"is pending; it can only approve or decline"):
        decide(market, pending.id, "suspend")
    with pytest.raises(Refused, match="is pending"):
        desk.submit(site_at(market, LATER), ADA, campaign="plumbing", publisher="bluebird")
    with pytest.raises(Refused, match="there is no application 99"):
        decide(market, 99, "decline")


def test_a_suspension_is_in_force_with_its_reason_until_it_is_ended_and_keeps_the_numbers(
    market: Engine, pending: Application
) -> None:
    desk.approve(site_at(market, LATER), ADA, pending.id, count=1, wanted=ANY)
    decide(market, pending.id, "suspend", "bought traffic", at=LAST)
    loaded = marketplaces.load(market)
    assert loaded is not None
    assert loaded.suspended == {("plumbing", "bluebird"): "bought traffic"}
    assert numbers_of(market, "bluebird") == 1
    decide(market, pending.id, "reinstate", at=LAST + 1)
    steps = applications.steps_of(market, "plumbing", "bluebird")
    found = [suspended_at(steps, at) for at in (LAST - 1, LAST, LAST + 1)]
    assert found == [None, "bought traffic", None]
    after = marketplaces.load(market)
    assert after is not None
    assert after.suspended == {}


def test_a_campaign_that_invites_takes_nobody_else(market: Engine) -> None:
    invited = with_campaign(BEFORE, visibility="invited", invited=frozenset({"homefix"}))
    marketplaces.apply(market, invited, LATER)
    with pytest.raises(Refused, match="it takes only invited publishers"):
        desk.submit(site_at(market, LATER), ADA, campaign="plumbing", publisher="bluebird")
    assert (
        desk.submit(site_at(market, LATER), ADA, campaign="plumbing", publisher="homefix").application.state
        == "pending"
    )


BY_ITSELF = with_campaign(BEFORE, applications=Applications(auto_approve=True))


def test_a_campaign_that_approves_by_itself_does_so_whoever_submits_and_by_what_it_is_kept(
    market: Engine,
) -> None:
    marketplaces.apply(market, BY_ITSELF, LATER)
    found = desk.submit(
        site_at(market, LATER), Actor("publisher", "bluebird"), campaign="plumbing", publisher="bluebird"
    )
    assert (found.application.state, len(found.dids), found.not_approved) == ("approved", 1, None)
    assert numbers_of(market, "bluebird") == 1
    steps = applications.history(market, found.application.id)
    assert [(step.event, step.by) for step in steps] == [
        ("submit", "publisher:bluebird"), ("approve", "program:callrace")
    ]  # fmt: skip
    approved, submitted = auditlog.newest(market, 9, subject=str(found.application.id))
    assert (approved.actor, approved.use_case, approved.facts["numbers"]) == (
        "program:callrace", "applications.approve", found.dids
    )  # fmt: skip
    assert (submitted.actor, submitted.use_case) == ("publisher:bluebird", "applications.submit")


def test_an_application_that_the_stock_cannot_fulfil_waits_and_it_is_said_why(engine: Engine) -> None:
    marketplaces.apply(engine, BY_ITSELF, NOW)
    found = desk.submit(site_at(engine, LATER), ADA, campaign="plumbing", publisher="bluebird")
    assert (found.application.state, found.dids) == ("pending", [])
    assert found.not_approved is not None
    assert found.not_approved.code is Code.STOCK_IS_SHORT
    assert [step.event for step in applications.history(engine, found.application.id)] == ["submit"]


@pytest.mark.parametrize(("campaign", "publisher"), [("roofing", "homefix"), ("plumbing", "nobody")])
def test_who_is_not_in_the_marketplace_cannot_apply(market: Engine, campaign: str, publisher: str) -> None:
    with pytest.raises(Refused, match="in the marketplace in force"):
        desk.submit(site_at(market, LATER), ADA, campaign=campaign, publisher=publisher)
    assert applications.all_of(market) == []


def test_two_approvals_at_once_give_the_numbers_once(
    market: Engine, pending: Application, empty_url: str
) -> None:
    def approve(_: int) -> bool:
        engine = open_engine(empty_url)
        try:
            desk.approve(site_at(engine, LATER), ADA, pending.id, count=1, wanted=ANY)
        except Refused:
            return False
        finally:
            engine.dispose()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(approve, range(4))) == [False, False, False, True]
    assert numbers_of(market, "bluebird") == 1


@pytest.mark.parametrize("change", [update(application_events).values(note="x"), delete(application_events)])
def test_an_applications_history_can_be_neither_changed_nor_deleted(
    market: Engine, pending: Application, change: object
) -> None:
    with pytest.raises(DBAPIError, match="never changed"), writing(market) as connection:
        connection.execute(change)  # type: ignore[call-overload]
