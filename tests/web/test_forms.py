"""What the pages' forms do: each changes what it says, asks for proof before money moves, and is refused to others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import Engine

from ari_app.access.parties import Party, Viewer
from ari_app.desk import agents, applications, bills, disputes, documents, ledger, people, theirs
from ari_app.desk.site import Site
from ari_app.store import geography
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.unit.cli.conftest import GEOGRAPHY
from tests.web.conftest import URL
from tests.web.people import ADA, HTML, MINE, Someone, furnish, sit_down

OPERATOR = Someone("operator", "owner")
ADVERTISER, READER = Someone("advertiser:acme", "manager"), Someone("advertiser:acme", "read_only")
PUBLISHER, RIVAL = Someone("publisher:homefix", "manager"), Someone("publisher:rival", "manager")


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geography, "load", lambda home: GEOGRAPHY)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The exchange of `people.MARKET`."""
    engine = migrated(tmp_path / "callrace.db")
    furnish(engine)
    yield engine
    engine.dispose()


async def post(client: AsyncClient, path: str, **fields: str) -> Response:
    return await client.post(path, data=fields, headers={"origin": URL, "accept": "text/html"})


async def get(client: AsyncClient, path: str) -> str:
    return (await client.get(path, headers={"accept": "text/html"})).text


async def test_a_destination_is_paused_and_resumed_by_its_advertiser(
    client: AsyncClient, site: Site, engine: Engine
) -> None:
    sit_down(site, client, ADVERTISER)
    assert (await post(client, "/destinations/pause", name="agent-1", reason=HTML)).status_code == 303
    assert agents.listed(site).pauses == {"agent-1": HTML}
    assert HTML not in await get(client, "/destinations")
    assert (await post(client, "/destinations/pause", name="zenith-1", reason="x")).status_code == 404
    assert (await post(client, "/destinations/resume", name="agent-1")).status_code == 303
    assert agents.listed(site).pauses == {}
    sit_down(site, client, READER)
    assert (await post(client, "/destinations/pause", name="agent-1", reason="x")).status_code == 403


async def test_a_draft_is_started_by_the_operator_alone(client: AsyncClient, site: Site) -> None:
    acme = Viewer("joe@acme.example", Party("advertiser", "acme"), "manager", confirmed_at=0)
    await asyncio.to_thread(theirs.create_campaign, site, acme, "drains", {"price": "50.00"})
    sit_down(site, client, ADVERTISER)
    assert "/campaigns/drains/start" not in await get(client, "/campaigns/drains")
    assert (await post(client, "/campaigns/drains/start")).status_code == 403
    assert documents.listed(site, "campaigns")["drains"]["status"] == "draft"
    sit_down(site, client, OPERATOR)
    assert "/campaigns/drains/start" in await get(client, "/campaigns/drains")


async def test_a_dispute_is_accepted_and_both_parties_read_it(client: AsyncClient, site: Site) -> None:
    id = disputes.open_(site, ADA, call_id=MINE, reason=HTML).id
    sit_down(site, client, OPERATOR)
    assert 'action="/disputes/1/accept"' in await get(client, f"/disputes/{id}")
    assert (await post(client, f"/disputes/{id}/accept", amount="10.00")).status_code == 303
    assert disputes.get(site, id).state == "accepted"
    sit_down(site, client, ADVERTISER)
    page = await get(client, f"/disputes/{id}")
    assert "10.00 USD" in page and HTML not in page and "/accept" not in page
    sit_down(site, client, RIVAL)
    assert (await client.get(f"/disputes/{id}")).status_code == 404


async def test_a_publisher_applies_and_the_operator_decides(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, PUBLISHER)
    page = await get(client, "/campaigns/plumbing")
    assert "The publisher is paid 30.00 USD a call." in page
    assert "caller and agent talk for at least 90s" in page
    assert "charged" not in page and "31.70" not in page
    assert (await post(client, "/campaigns/roofing/apply")).status_code == 404
    assert (await post(client, "/campaigns/plumbing/apply", note=HTML, publisher="rival")).status_code == 303
    [one] = applications.listed(site)
    assert (one.publisher, one.state) == ("homefix", "pending")
    assert HTML not in await get(client, "/applications")
    assert (await post(client, f"/applications/{one.id}/approve")).status_code == 403
    sit_down(site, client, OPERATOR)
    assert (await post(client, f"/applications/{one.id}/approve", count="0")).status_code == 303
    assert applications.listed(site)[0].state == "approved"
    wrong = await post(client, f"/applications/{one.id}/decide", event="eat", reason="x")
    assert wrong.status_code == 422


async def test_a_deposit_is_booked_once_however_often_its_form_is_sent(
    client: AsyncClient, site: Site
) -> None:
    sit_down(site, client, OPERATOR)
    fields = {"advertiser": "acme", "amount": "500.00", "key": "web-1"}
    for _ in range(2):
        assert (await post(client, "/funds/deposit", **fields)).status_code == 303
    lines = [line.transfer.kind for line in ledger.statement(site, "advertiser:acme")]
    assert lines.count("deposit") == 1
    assert "500.00" in await get(client, "/funds/advertiser:acme")
    sit_down(site, client, ADVERTISER)
    assert (await post(client, "/funds/deposit", **fields)).status_code == 403
    assert (await client.get("/funds/advertiser:zenith")).status_code == 404


async def test_money_waits_for_who_has_not_proved_who_they_are(
    client: AsyncClient, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sit_down(site, client, OPERATOR)
    monkeypatch.setattr("ari_app.access.parties.FRESH_MS", 0)
    page = await get(client, "/funds")
    assert 'action="/confirm"' in page and "disabled" in page
    answer = await post(client, "/funds/deposit", advertiser="acme", amount="1.00", key="web-2")
    assert answer.status_code == 403
    assert 'action="/confirm"' in answer.text


async def test_a_month_is_billed_and_its_advertiser_reads_the_invoice(
    client: AsyncClient, site: Site
) -> None:
    sit_down(site, client, OPERATOR)
    early = await post(client, "/bills/issue", kind="invoice", party="acme", period="2025-11")
    assert early.status_code == 409, "the month is not over"
    bill = bills.issue(site, ADA, "invoice", "acme", "2025-11", force_open=True).bill
    for someone, status in ((ADVERTISER, 200), (PUBLISHER, 404), (OPERATOR, 200)):
        sit_down(site, client, someone)
        page = await client.get(f"/invoices/{bill.number}", headers={"accept": "text/html"})
        assert page.status_code == status
        assert ("42.00 USD" in page.text) == (status == 200)
        assert HTML not in page.text


async def test_a_marketplace_is_planned_then_applied_in_place_of_what_was_edited(
    client: AsyncClient, site: Site, engine: Engine
) -> None:
    sit_down(site, client, OPERATOR)
    loaded = marketplaces.load(engine)
    assert loaded is not None
    page = await get(client, "/marketplace")
    assert "price: &#39;42.00&#39;" in page or "price: &#34;42.00&#34;" in page
    parts = ("publishers", "destinations", "campaigns", "numbers")
    text = "currency: USD\nadvertisers: {acme: {name: A}}\n" + "".join(f"{part}: {{}}\n" for part in parts)
    version = str(loaded.version)
    planned = await post(client, "/marketplace/plan", document=text, version=version)
    assert planned.status_code == 200
    assert "plumbing" in planned.text, planned.text
    assert 'formaction="/marketplace/apply"' in planned.text
    now = marketplaces.load(engine)
    assert now is not None and now.version == loaded.version, "a plan changes nothing"
    wrong = await post(client, "/marketplace/plan", document="a: [", version=version)
    assert (wrong.status_code, "a: [" in wrong.text) == (422, True)
    stale = await post(client, "/marketplace/apply", document=text, version="99")
    assert stale.status_code == 409
    assert (await post(client, "/marketplace/apply", document=text, version=version)).status_code == 303
    now = marketplaces.load(engine)
    assert now is not None and not now.marketplace.campaigns


async def test_an_invitation_is_shown_once_and_only_for_ones_own_party(
    client: AsyncClient, site: Site
) -> None:
    sit_down(site, client, ADVERTISER)
    fields = {"email": "new@acme.example", "party": "advertiser:acme", "role": "manager"}
    page = await post(client, "/people/invite", **fields)
    assert f"{URL}/join#" in page.text
    assert f"{URL}/join#" not in await get(client, "/people")
    assert [one.email for one in people.invited(site)] == ["new@acme.example"]
    for party in ("operator", "advertiser:zenith", "nonsense"):
        wrong = await post(client, "/people/invite", **(fields | {"party": party}))
        assert wrong.status_code in (403, 422)
    assert (
        await post(client, "/people/remove", email="new@acme.example", party="advertiser:acme")
    ).status_code == 303
    assert people.invited(site) == []


async def test_who_looks_as_a_party_sees_its_pages_and_changes_nothing(
    client: AsyncClient, site: Site
) -> None:
    sit_down(site, client, OPERATOR)
    assert (await post(client, "/look-as", party="advertiser:acme")).status_code == 303
    page = await get(client, "/calls")
    assert "You see what advertiser:acme sees." in page and "30.00" not in page
    assert (await post(client, "/destinations/pause", name="agent-1", reason="x")).status_code == 403
    assert (await post(client, "/look-no-more")).status_code == 303
    assert "You see what" not in await get(client, "/calls")


async def test_reports_are_of_ones_own_calls(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, PUBLISHER)
    page = await get(client, "/reports?what=campaign&since=2025-11-01&until=2025-11-30")
    assert "30.00" in page and "42.00" not in page
    for query in ("what=secrets", "since=soon", "since=2026-01-01&until=2025-01-01", "until=9999-12-31"):
        answer = await client.get(f"/reports?{query}", headers={"accept": "text/html"})
        assert answer.status_code == 422, query
