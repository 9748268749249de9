"""The API's description says what is so: each route's answer is as documented, and each reference leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from ari_app.store.calls import calls
from ari_app.web.api import api
from ari_app.web.api.description import nouns
from ari_app.web.state import Web
from tests.kit.shapes import Shapes
from tests.samples import make_call, settlement, waiting
from tests.web.conftest import Client, post

CALL = make_call(1).id


@pytest.fixture
def described(web: Web) -> dict[str, Any]:
    """The description."""
    return api.make(web).openapi()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_each_reference_leads_somewhere(described: dict[str, Any]) -> None:
    there = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(references(described)) <= there


def test_each_route_says_what_it_wants_and_what_it_answers(described: dict[str, Any]) -> None:
    operations = [
        (method, path, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(ids) == len(set(ids)) > 80
    for method, path, operation in operations:
        headers = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
        if method == "post" and not path.endswith("/plan"):
            assert "Idempotency-Key" in headers, path
        if method in ("patch", "delete"):
            assert "If-Match" in headers, path
        answers = operation["responses"]
        assert "default" in answers and operation["x-scope"]
        [told] = [answer for status, answer in answers.items() if status != "default"]
        if path not in ("/marketplace", "/calls/{call_id}/recording/{track}"):
            assert any(references(told)), f"{method} {path} does not say what it answers"


def test_the_schemas_are_the_documented_nouns() -> None:
    shapes = Shapes().nouns
    assert set(nouns()) == set(shapes)
    assert nouns()["Bill"]["properties"]["closing"]["pattern"]
    assert set(nouns()["Call"]["properties"]) == {
        path for path in shapes["Call"] if re.fullmatch(r"\w+", path)
    }
    assert set(nouns()["Call"]["properties"]["money"]["anyOf"][0]["properties"]) >= {"charged", "net_charged"}


SHAPES = {
    "/calls": "list of Call",
    f"/calls/{CALL}": "Call",
    f"/calls/{CALL}/explanation": "list of Section",
    "/agents": "list of Agent",
    "/caps": "list of Cap",
    "/audit": "list of AuditEntry",
    "/conversions?pending=true": "list of Conversion",
    "/disputes": "list of Dispute",
    "/disputes/1": "Dispute",
    "/ledger/balances": "list of Balance",
    "/ledger/accounts/advertiser:acme/statement": "list of StatementLine",
    "/ledger/proof": "Proof",
    "/invoices": "list of Bill",
    "/invoices/1": "Bill",
    "/invoices/1/items": "list of BillItem",
    "/statements": "list of Bill",
    "/payouts": "list of PayoutRun",
    "/payouts/p1": "PayoutRun",
    "/payouts/p1/items": "list of BillItem",
    "/numbers": "list of Number",
    "/numbers/stock": "list of Stock",
    "/numbers/+18005550101/history": "list of NumberHistory",
    "/applications": "list of Application",
    "/applications/1/steps": "list of ApplicationStep",
    "/reports/forensics?since=2025-11-01&until=2025-12-01": "Forensics",
    "/reports/publisher?since=2025-11-01&until=2025-12-01": "Report",
}


async def test_each_answer_is_as_documented(
    asking: Client, engine: Engine, described: dict[str, Any]
) -> None:
    client, shapes = asking(), Shapes()
    calls.save(engine, [settlement(waiting(2))])
    month = {"party": "acme", "period": "2025-11", "force_open": True}
    for path, body in {
        "/disputes": {"call_id": CALL, "reason": "a robot", "amount": "1.00"},
        "/ledger/deposits": {"advertiser": "acme", "amount": "500.00", "key": "wire-1"},
        "/invoices": month,
        "/statements": month | {"party": "homefix"},
        "/numbers/import": {"csv": "did,kind,region,trunk\n+12125550100,local,NY,main\n"},
        "/applications": {"campaign": "plumbing", "publisher": "homefix"},
    }.items():
        done = await post(client, path, body)
        assert done.status_code in (200, 201), done.text
    await post(client, "/disputes/1/reject", {"reason": "it was none"})
    capped = {"caps": [{"max": 10, "per": "day"}]}
    assert (
        await client.patch("/destinations/agent-1", json=capped, headers={"if-match": "*"})
    ).status_code == 200
    paid = await post(client, "/payouts", {"key": "p1", "until": "2025-12-31", "hold_days": 0})
    assert paid.json()["payouts"][0]["amount"] == "30.00"
    for path, shape in SHAPES.items():
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        value = answer.json()
        if "data" in value:
            value = value["data"]
            assert value, path
        assert shapes.complaints(shape, value) == [], path
    gets = {path for path, methods in described["paths"].items() if "get" in methods}
    asked = {re.sub(r"\?.*", "", path) for path in SHAPES}
    untold = {
        path for path in gets if not any(re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), one) for one in asked)
    }
    nouns_of_the_document = {f"/{part}{rest}" for part in _PARTS for rest in ("", "/{name}")}
    assert untold - nouns_of_the_document == {
        "/marketplace",
        "/live/calls",
        "/calls/{call_id}/recording/{track}",
        "/recordings",
        "/statements/{number}",
        "/statements/{number}/items",
    }


_PARTS = ("advertisers", "publishers", "destinations", "campaigns", "flows", "creatives")


@pytest.mark.parametrize("part", [part for part in _PARTS if part != "creatives"])
async def test_a_noun_of_the_document_is_told_with_its_defaults(asking: Client, part: str) -> None:
    client = asking()
    for entry in (await client.get(f"/{part}")).json()["data"]:
        one = await client.get(f"/{part}/{entry['id']}")
        assert one.json() == entry and one.headers["etag"]
