"""What stands before every handler: who may not even ask, what every answer carries, and that nothing waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.types import Receive, Scope, Send

from ari_app.web import errors, limits
from ari_app.web.guard import Guard
from ari_app.web.headers import completed
from ari_app.web.origin import complaint
from ari_app.web.state import Web
from tests.web.conftest import URL

App = Callable[[Scope, Receive, Send], Any]


def guarded(app: App, web: Web) -> AsyncClient:
    transport = ASGITransport(app=Guard(app, web), raise_app_exceptions=False)
    return AsyncClient(transport=transport, base_url=URL)


async def reads_its_body(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=60")]})
    await send({"type": "http.response.body", "body": b"ok"})


def an_app(web: Web) -> FastAPI:
    """One that reads a body, and one route that fails."""
    app = FastAPI()
    app.state.web = web
    errors.register(app)

    @app.post("/")
    async def read(request: Request) -> int:
        return len(await request.body())

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the password is swordfish")

    return app


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True),  # a program, with its key
        ({"cookie": "callrace=1"}, False),  # a browser says where it comes from
        ({"cookie": "callrace=1", "origin": URL}, True),
        ({"cookie": "callrace=1", "sec-fetch-site": "same-origin", "origin": URL}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site", "origin": URL}, False),  # a neighbour under the same domain
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": f"{URL}.evil.example"}, False),
        ({"origin": URL.replace("http:", "https:")}, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_only_our_own_pages_and_programs_change_anything(
    method: str, headers: dict[str, str], is_ours: bool
) -> None:
    assert (complaint(method, headers, {URL}) is None) == is_ours
    assert complaint("GET", headers, {URL}) is None


async def test_another_sites_form_is_refused_before_anybody_looks_at_it(client: AsyncClient) -> None:
    refused = await client.post("/healthz", headers={"origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_origin")


@pytest.mark.parametrize("path", ["/healthz", "/nothing-here", "/api/v1/nothing-here"])
async def test_every_answer_says_what_a_browser_may_do_with_it(client: AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy and "*" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers and "strict-transport-security" not in headers


def test_https_is_for_good_once_it_is_there_and_what_an_app_says_of_its_cache_stays() -> None:
    headers = dict(
        completed([(b"Cache-Control", b"max-age=60"), (b"X-Frame-Options", b"ALLOW")], is_https=True)
    )
    assert headers[b"strict-transport-security"] == b"max-age=31536000"
    assert headers[b"cache-control"] == b"max-age=60"
    assert headers[b"x-frame-options"] == b"DENY"


async def test_a_name_that_is_not_ours_leads_nowhere(client: AsyncClient) -> None:
    refused = await client.get("/api/v1/calls", headers={"host": "rebound.example:8480"})
    assert (refused.status_code, refused.json()["code"]) == (421, "wrong_host")
    assert (await client.get("/healthz", headers={"host": "10.0.0.1"})).text == "ok\n"


async def test_a_body_that_says_it_is_too_large_is_not_read(web: Web) -> None:
    async with guarded(reads_its_body, web) as client:
        refused = await client.post("/", content=b"", headers={"content-length": str(limits.BODY_BYTES + 1)})
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        odd = await client.post("/", content=b"", headers={"content-length": "1e3"})
        assert odd.status_code == 413


async def test_a_body_that_turns_out_to_be_too_large_is_given_up(web: Web) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(limits.BODY_BYTES // 2**20 + 1):
            yield b" " * 2**20

    async with guarded(an_app(web), web) as client:
        refused = await client.post("/", content=pieces())
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


async def test_a_body_that_does_not_come_is_given_up(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_S", 0.01)
    never = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        yield b"{"
        await never.wait()

    async with guarded(an_app(web), web) as client:
        late = await client.post("/", content=nothing())
        assert (late.status_code, late.json()["code"]) == (408, "too_slow")


async def test_a_handler_that_is_too_late_is_answered_for_and_says_nothing_later(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANSWER_S", 0.01)
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await go_on.wait()
        await reads_its_body(scope, receive, send)
        ended.set()

    async with guarded(slow, web) as client:
        late = await client.get("/")
        assert (late.status_code, late.json()["code"]) == (504, "too_late")
        go_on.set()
        await ended.wait()


async def test_who_would_be_one_too_many_is_asked_to_come_again(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "AT_WORK", 1)
    is_there, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        is_there.set()
        await go_on.wait()
        await reads_its_body(scope, receive, send)

    async with guarded(slow, web) as client:
        first = asyncio.create_task(client.get("/"))
        await is_there.wait()
        refused = await client.get("/")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        go_on.set()
        assert (await first).status_code == 200
        assert (await client.get("/")).status_code == 200


async def test_what_streams_is_not_at_work(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "AT_WORK", 1)
    has_begun, go_on = asyncio.Event(), asyncio.Event()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        has_begun.set()
        await go_on.wait()
        await send({"type": "http.response.body", "body": b""})

    async with guarded(stream, web) as client:
        first = asyncio.create_task(client.get("/"))
        await has_begun.wait()
        go_on.set()
        assert (await client.get("/")).status_code == 200
        await first


async def test_an_error_of_ours_tells_nothing_of_our_insides(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    async with guarded(an_app(web), web) as client:
        failed = await client.get("/broken")
    told = failed.json()
    assert (failed.status_code, told["code"]) == (500, "failed")
    assert failed.headers["content-type"] == "application/problem+json"
    assert "swordfish" not in failed.text and "Traceback" not in failed.text
    assert failed.headers["content-security-policy"]
    request = told["instance"].rpartition(":")[2]
    assert any(request in line.getMessage() and line.exc_info for line in caplog.records)


async def test_the_access_log_has_no_address(client: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await client.get("/healthz?token=swordfish")
    await client.get("/secret-in-a-path?token=swordfish")
    lines = [line for line in caplog.records if line.name == "ari_app.web.access"]
    assert [line.getMessage() for line in lines] == ["GET /healthz", "GET -"]
    assert not any("swordfish" in str(vars(line)) or "secret" in str(vars(line)) for line in lines)
