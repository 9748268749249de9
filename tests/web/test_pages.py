"""Each page as each person sees it: it answers, holds nothing that it must not, and its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from httpx import AsyncClient, Response
from sqlalchemy import Engine

from ari_app.desk.site import Site
from ari_app.web.pages import ROUTERS
from ari_app.web.pages.navigation import PLACES
from tests.kit.database import migrated
from tests.web.conftest import URL
from tests.web.people import HTML, MINE, SOMEONE, THEIRS, Someone, furnish, sit_down

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
OURS = {"origin": URL, "accept": "text/html"}
HREF = re.compile(r'href="(/[^"#]*)')
ADVERTISER, PUBLISHER = Someone("advertiser:acme", "manager"), Someone("publisher:homefix", "manager")
OPERATOR = Someone("operator", "owner")
FOR_ANYONE = {"/sign-in", "/sign-in/code", "/enter", "/join"}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database in which names have HTML in them (`people.MARKET`)."""
    engine = migrated(tmp_path / "callrace.db")
    furnish(engine)
    yield engine
    engine.dispose()


async def get(client: AsyncClient, path: str) -> Response:
    return await client.get(path, headers={"accept": "text/html"})


def links(page: Response) -> list[str]:
    """The addresses on our server that a page leads to."""
    found = {unescape(link) for link in HREF.findall(page.text)}
    return sorted(link for link in found if not link.startswith("/static/"))


@pytest.mark.parametrize("someone", SOMEONE, ids=str)
async def test_every_page_that_can_be_reached_shows_nothing_that_it_must_not(
    client: AsyncClient, site: Site, someone: Someone
) -> None:
    sit_down(site, client, someone)
    seen, ahead = set[str](), ["/"]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen.add(path)
        page = await get(client, path)
        assert page.status_code == 200, (path, page.text)
        assert HTML not in page.text or "text/html" not in page.headers["content-type"], path
        shown = unescape(page.text)
        found = [
            word for word in someone.unseen if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", shown)
        ]
        assert found == [], path
        ahead += links(page)
    assert len(seen) > 3


@pytest.mark.parametrize("someone", SOMEONE, ids=str)
async def test_a_page_that_is_not_in_the_navigation_is_refused(
    client: AsyncClient, site: Site, someone: Someone
) -> None:
    sit_down(site, client, someone)
    offered = set(links(await get(client, "/account")))
    for place in PLACES:
        answer = await get(client, place.path)
        assert answer.status_code == (200 if place.path in offered else 403), place.path


@pytest.mark.parametrize("someone", SOMEONE[3:], ids=str)
async def test_a_call_of_others_is_not_there(client: AsyncClient, site: Site, someone: Someone) -> None:
    sit_down(site, client, someone)
    theirs = {"advertiser:acme": MINE, "publisher:homefix": MINE}.get(someone.party, THEIRS)
    for call in (MINE, THEIRS):
        answer = await get(client, f"/calls/{call}")
        assert answer.status_code == (200 if call == theirs else 404)
        if call != theirs:
            unknown = await get(client, "/calls/nothing")
            assert unknown.status_code == 404
            assert re.sub("nothing|request [0-9a-f]+", "", unknown.text) == re.sub(
                f"{call}|request [0-9a-f]+", "", answer.text
            )
        sound = await get(client, f"/calls/{call}/recording/caller")
        assert sound.status_code == 404


@pytest.mark.parametrize("route", [r for r in ROUTES if "POST" in r.methods], ids=lambda route: route.path)
async def test_a_form_of_another_site_is_refused(client: AsyncClient, site: Site, route: APIRoute) -> None:
    sit_down(site, client, OPERATOR)
    path = re.sub(r"\{[a-z_]+\}", "1", route.path)
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {},
    ):
        answer = await client.post(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
async def test_who_is_not_signed_in_is_asked_to(client: AsyncClient, route: APIRoute) -> None:
    path, method = re.sub(r"\{track\}", "caller", route.path), min(route.methods)
    if path in FOR_ANYONE or path in ("/join/accept", "/sign-out"):
        return
    answer = await client.request(method, re.sub(r"\{[a-z_]+\}", "1", path), headers=OURS)
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/sign-in?to=/")


async def test_every_page_has_a_name_a_language_and_one_heading(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, OPERATOR)
    for path in [*(place.path for place in PLACES), "/account", f"/calls/{MINE}"]:
        page = (await get(client, path)).text
        assert '<html lang="en-US">' in page
        assert re.search(r"<title>[^<]+ · Callrace</title>", page)
        assert (page.count("<h1>"), page.count("<main ")) == (1, 1), path
        assert 'href="#main"' in page
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        assert_each_field_has_a_label(page, path)


def assert_each_field_has_a_label(page: str, path: str) -> None:
    outside = re.sub(r"<label>.*?</label>", "", page, flags=re.DOTALL)
    for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", outside):
        assert 'type="hidden"' in field or "aria-" in field, (path, field)


# Calls


async def test_each_party_reads_what_its_call_came_to_and_why(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, ADVERTISER)
    page = unescape((await get(client, f"/calls/{MINE}")).text)
    assert "<dd>42.00 USD</dd>" in page
    assert "connected for 95 s, at least 90 s needed" in page
    assert "/recording/caller" in page
    sit_down(site, client, PUBLISHER)
    page = unescape((await get(client, f"/calls/{MINE}")).text)
    assert "<dd>30.00 USD</dd>" in page
    assert "connected for 95 s, at least 90 s needed" in page
    assert "/recording/caller" not in page
    assert "agent-" in page, "a phone is told from another by a code"


async def test_the_list_says_why_a_call_was_not_paid(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, PUBLISHER)
    page = await get(client, "/calls?qualified=no")
    assert "connected for 3 s" in page.text
    assert MINE not in page.text


async def test_filters_stay_in_the_address(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, ADVERTISER)
    page = await get(client, "/calls?campaign=plumbing&disposition=connected&since=2025-11-01")
    assert 'value="plumbing"' in page.text
    assert '<option value="connected" selected>' in page.text
    assert "/calls?campaign=plumbing&amp;disposition=connected&amp;since=2025-11-01&amp;as_=csv" in page.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("publisher=homefix", 422),
        ("source=x", 422),
        ("since=yesterday", 422),
        ("cursor=x", 422),
        ("disposition=x", 422),
    ],
)
async def test_nobody_finds_out_by_asking_what_they_do_not_see(
    client: AsyncClient, site: Site, query: str, status: int
) -> None:
    sit_down(site, client, ADVERTISER)
    assert (await get(client, f"/calls?{query}")).status_code == status


async def test_calls_are_a_file_too_without_formulas(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, PUBLISHER)
    answer = await client.get("/calls?as_=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = answer.text.splitlines()
    assert head.startswith("Call,Began,Caller,Campaign")
    assert ("Charged" in head, "Paid" in head, len(rows)) == (False, True, 2)
    assert "'+1212555****" in rows[0]


async def test_an_advertiser_disputes_a_charge(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, ADVERTISER)
    answer = await client.post(f"/calls/{MINE}/dispute", data={"reason": f"a {HTML}"}, headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/calls/{MINE}?said=dispute_opened")
    page = await get(client, answer.headers["location"])
    assert "The dispute is open." in page.text
    assert HTML not in page.text
    sit_down(site, client, PUBLISHER)
    assert (
        await client.post(f"/calls/{MINE}/dispute", data={"reason": "x"}, headers=OURS)
    ).status_code == 403


async def test_what_a_page_says_is_only_what_the_catalogue_has(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, ADVERTISER)
    assert "evil" not in (await get(client, "/account?said=evil")).text


def test_the_pages_are_those_that_are_documented() -> None:
    rows = re.findall(
        r"^\| (`/.*?`) \|",
        (Path(__file__).parents[2] / "docs/web.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    documented = {path for row in rows for path in re.findall(r"`(/[^`]*)`", row)}
    pages = {route.path for route in ROUTES if "GET" in route.methods} - {
        "/calls/{call_id}/recording/{track}"
    }
    assert documented == pages
