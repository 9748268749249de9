"""Passkeys with a browser: made on the account's page, signing in by one, proving it again by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from httpx import ASGITransport, AsyncClient, Response

from ari_app.access.actor import operator
from ari_app.desk import people, signin
from ari_app.desk.signin import Client
from ari_app.desk.site import Site
from ari_app.web.app import make
from ari_app.web.state import Web
from tests.kit.authenticator import Authenticator

HOST, ORIGIN = "calls.example", "https://calls.example"
EMAIL = "joe@acme.example"


class Clock:
    """Each time that it is looked at, it is a millisecond later."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture
def here(site: Site) -> Site:
    """The exchange at an address with a name."""
    settings = replace(site.settings, web=replace(site.settings.web, url=ORIGIN))
    return replace(site, settings=settings, now=Clock(site.now()))


@pytest.fixture
async def client(here: Site) -> AsyncIterator[AsyncClient]:
    """A browser in which Joe of acme is signed in."""
    token = people.invite(here, operator("ada"), EMAIL, "advertiser:acme", "manager").token
    begun = people.accept(here, token, Client("192.0.2.7"), password="correct horse battery", name="Joe")
    transport = ASGITransport(app=make(Web(here)), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url=ORIGIN) as client:
        client.cookies.set("__Host-callrace", begun.token, domain=HOST)
        yield client


async def post(client: AsyncClient, path: str, **said: object) -> Response:
    return await client.post(path, json=said, headers={"origin": ORIGIN, "accept": "application/json"})


async def have(client: AsyncClient, phone: Authenticator, name: str = "phone") -> None:
    options = (await post(client, "/account/passkeys/options")).json()
    added = await post(client, "/account/passkeys", answer=phone.make(options), name=name)
    assert (added.status_code, added.json()) == (200, {"to": "/account"})


async def test_who_has_a_passkey_signs_in_by_it_and_is_led_on(client: AsyncClient, here: Site) -> None:
    phone = Authenticator(ORIGIN, HOST)
    await have(client, phone, "<my phone>")
    assert "&lt;my phone&gt;" in (await client.get("/account")).text
    client.cookies.clear()
    options = (await post(client, "/passkeys/options")).json()
    answer = await post(client, "/passkeys/sign-in", answer=phone.use(options), to="/calls?a=b")
    assert (answer.status_code, answer.json()) == (200, {"to": "/calls?a=b"})
    assert "HttpOnly" in answer.headers["set-cookie"] and "Secure" in answer.headers["set-cookie"]
    assert signin.viewer_of(here, answer.cookies["__Host-callrace"]).name == EMAIL
    again = await post(client, "/passkeys/sign-in", answer=phone.use(options) | {"id": "x"})
    assert (again.status_code, again.json()["code"]) == (401, "wrong_code")


async def test_nobody_is_led_to_another_site_by_it(client: AsyncClient) -> None:
    phone = Authenticator(ORIGIN, HOST)
    await have(client, phone)
    options = (await post(client, "/passkeys/options")).json()
    answer = await post(client, "/passkeys/sign-in", answer=phone.use(options), to="//evil.example")
    assert answer.json() == {"to": "/"}


async def test_it_is_proved_again_by_one(client: AsyncClient, here: Site) -> None:
    phone = Authenticator(ORIGIN, HOST)
    await have(client, phone)
    options = (await post(client, "/passkeys/options")).json()
    answer = await post(client, "/passkeys/confirm", answer=phone.use(options), to="/funds")
    assert answer.json() == {"to": "/funds"}
    assert signin.viewer_of(here, answer.cookies["__Host-callrace"]).is_fresh(here.now())


async def test_one_is_removed(client: AsyncClient, here: Site) -> None:
    phone = Authenticator(ORIGIN, HOST)
    await have(client, phone)
    told = (await client.get("/account")).text
    id = told.partition('name="id" value="')[2].partition('"')[0]
    gone = await client.post("/account/passkeys/remove", data={"id": id}, headers={"origin": ORIGIN})
    assert gone.status_code == 303
    options = (await post(client, "/passkeys/options")).json()
    assert (await post(client, "/passkeys/sign-in", answer=phone.use(options))).status_code == 401


@pytest.mark.parametrize(
    "path", ["/passkeys/sign-in", "/passkeys/confirm", "/account/passkeys", "/account/passkeys/options"]
)
async def test_what_is_no_answer_is_refused_and_so_are_other_sites(client: AsyncClient, path: str) -> None:
    for body in (
        b"",
        b"[]",
        b"{}",
        b'{"answer": 5}',
        b'{"answer": {}}',
        b'{"answer": {"id": "x", "response": []}}',
    ):
        headers = {"origin": ORIGIN, "content-type": "application/json"}
        assert (await client.post(path, content=body, headers=headers)).status_code in (200, 401, 422)
    elsewhere = await client.post(path, json={"answer": {}}, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 403
    client.cookies.clear()
    assert (await post(client, path, answer={})).status_code == 401
