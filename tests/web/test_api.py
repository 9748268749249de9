"""What every route of the API has in common: who may ask, how lists and things are told, how often one may ask."""

from __future__ import annotations

import csv
import io

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from httpx import AsyncClient
from sqlalchemy import Engine

from ari_app.access.deeds import DEEDS
from ari_app.store.calls import calls
from ari_app.web.api import api
from ari_app.web.ratelimit import RateLimit
from ari_app.web.state import Web
from tests.samples import make_call, settlement
from tests.web.conftest import Client, post

CALL = make_call(1).id


async def test_nobody_without_a_key_is_told_anything(client: AsyncClient) -> None:
    for path in ("/api/v1/calls", f"/api/v1/calls/{CALL}", "/api/v1/ledger/balances"):
        refused = await client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
        assert refused.headers["www-authenticate"].startswith("Bearer")
    wrong = await client.get("/api/v1/calls", headers={"authorization": "Bearer callrace_" + "x" * 43})
    assert wrong.status_code == 401
    assert (await client.get("/api/v1/calls?key=callrace_x")).status_code == 401, "never in an address"


async def test_a_key_may_what_its_scopes_say(asking: Client) -> None:
    client = asking("operator", "calls:read")
    assert (await client.get("/calls")).status_code == 200
    refused = await client.get("/ledger/balances")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_calls_are_a_list_of_what_the_command_prints(asking: Client) -> None:
    listed = (await asking().get("/calls")).json()
    assert (listed["next"], listed["more"]) == ("c1", False)
    [call] = listed["data"]
    assert call["id"] == CALL and call["money"]["net_charged"] == "42.00"
    assert call["started_at"].endswith("Z")


async def test_who_goes_on_sees_what_came_and_what_changed_since(asking: Client, engine: Engine) -> None:
    client = asking()
    next_ = (await client.get("/calls")).json()["next"]
    assert (await client.get("/calls", params={"cursor": next_})).json() == {
        "data": [],
        "next": next_,
        "more": False,
    }
    calls.save(engine, [settlement(make_call(2))])
    opened = await post(client, "/disputes", {"call_id": CALL, "reason": "a robot"})
    assert opened.status_code == 201
    news = (await client.get("/calls", params={"cursor": next_, "limit": 1})).json()
    rest = (await client.get("/calls", params={"cursor": news["next"]})).json()
    assert news["more"] and not rest["more"]
    assert {call["id"] for call in news["data"] + rest["data"]} == {CALL, make_call(2).id}


async def test_the_newest_are_paged_by_when_they_began(asking: Client, engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(n)) for n in (2, 3)])
    client, found, cursor = asking(), list[str](), None
    while True:
        params = {"order": "newest", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = await client.get("/calls", params=params)
        found += [call["id"] for call in page.json()["data"]]
        cursor = page.json()["next"]
        assert ("link" in page.headers) == (cursor is not None)
        if cursor is None:
            break
    assert found == [make_call(n).id for n in (3, 2, 1)]


@pytest.mark.parametrize("cursor", ["", "n1-abc", "c-1", "c" + "9" * 19, "1; DROP TABLE calls"])
async def test_a_cursor_that_is_none_is_refused(asking: Client, cursor: str) -> None:
    refused = await asking().get("/calls", params={"cursor": cursor})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


async def test_a_list_is_csv_for_who_takes_that_alone(asking: Client) -> None:
    client = asking()
    for path in (
        "/calls",
        "/ledger/balances",
        "/campaigns",
        "/numbers",
        "/reports/campaign",
        "/audit",
        "/disputes",
    ):
        answer = await client.get(path, headers={"accept": "text/csv"})
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(
        csv.DictReader(io.StringIO((await client.get("/calls", headers={"accept": "text/csv"})).text))
    )
    assert rows[0]["id"] == CALL and rows[0]["money.net_charged"] == "42.00"
    both = await client.get("/calls", headers={"accept": "text/csv, application/json"})
    assert both.headers["content-type"] == "application/json"


async def test_no_cell_of_csv_is_a_formula(asking: Client, engine: Engine) -> None:
    calls.save(engine, [settlement(make_call(2, source="=cmd|' /C calc'!A0", answers={"zip": "+1"}))])
    text = (await asking().get("/calls", headers={"accept": "text/csv"})).text
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@"))]


async def test_a_thing_that_is_as_it_was_is_not_told_again(asking: Client) -> None:
    client = asking()
    first = await client.get(f"/calls/{CALL}")
    again = await client.get(f"/calls/{CALL}", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await post(client, "/disputes", {"call_id": CALL, "reason": "a robot"})
    changed = await client.get(f"/calls/{CALL}", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200 and len(changed.json()["disputes"]) == 1


async def test_a_call_is_found_by_its_whole_id_alone(asking: Client) -> None:
    for wrong in (CALL[:-1], "nothing", "%00", "..%2f..%2fetc"):
        assert (await asking().get(f"/calls/{wrong}")).status_code in (404, 422), wrong


@pytest.mark.parametrize(
    "path", ["/disputes/{}", "/invoices/{}", "/statements/{}/items", "/applications/{}/steps"]
)
@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "1e3", "x"])
async def test_a_number_that_counts_nothing_is_refused(asking: Client, path: str, number: str) -> None:
    assert (await asking().get(path.format(number))).status_code == 422


async def test_it_is_told_how_often_one_may_ask(asking: Client, web: Web) -> None:
    web.limit = RateLimit(a_minute=2)
    client, other = asking(), asking()
    first = await client.get("/caps")
    assert first.headers["ratelimit-policy"] == '"key";q=2;w=60'
    assert first.headers["ratelimit"].startswith('"key";r=1;t=')
    await client.get("/caps")
    refused = await client.get("/caps")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (await other.get("/caps")).status_code == 200, "each key has its own"


def test_a_minute_later_one_may_ask_again() -> None:
    limit = RateLimit(a_minute=1)
    assert not limit.take("a", 59_999).is_too_many
    assert limit.take("a", 59_999).is_too_many
    assert not limit.take("a", 60_000).is_too_many


def test_every_route_has_a_row_of_who_may_ask_it() -> None:
    routes = [route for router in api.ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    asked = {
        f"{route.methods} {route.path}": _use_cases(route.dependant)
        for route in routes
        if route.include_in_schema
    }
    assert len(asked) > 80
    assert {
        path: cases for path, cases in asked.items() if len(cases) != 1 or not set(cases) <= set(DEEDS)
    } == {}
    assert len(routes) - len(asked) == 2, "the reference and its problems are for everybody"


def _use_cases(dependant: Dependant) -> list[str]:
    own = getattr(dependant.call, "use_case", None)
    inner = [case for one in dependant.dependencies for case in _use_cases(one)]
    return ([own] if own else []) + inner


async def test_the_description_is_open_to_all_and_the_reference_is_made_of_it(client: AsyncClient) -> None:
    described = (await client.get("/api/v1/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    page = await client.get("/api/v1/")
    assert page.headers["content-type"].startswith("text/html") and "<script" not in page.text
    for path in described["paths"]:
        assert f"/api/v1{path}" in page.text
    problems = (await client.get("/api/v1/problems")).text
    assert 'id="idempotency_key_reused"' in problems and 'id="not_found"' in problems
