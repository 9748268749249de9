"""Signing in with a browser: forms, cookies, links, and what a stranger tries."""

from __future__ import annotations

import re
from dataclasses import replace

import pyotp
import pytest
from httpx import ASGITransport, AsyncClient, Response

from ari_app.access.actor import operator
from ari_app.desk import people, proofs, signin
from ari_app.desk.signin import Client
from ari_app.desk.site import Site
from ari_app.settings import WebSettings
from ari_app.web.app import make
from ari_app.web.pages.viewing import own_path
from ari_app.web.state import Web
from tests.web.conftest import URL

ADA = operator("ada")
HERE = Client("192.0.2.7")
EMAIL, PASSWORD = "joe@acme.example", "correct horse battery"
FORM = {"email": EMAIL, "password": PASSWORD}
OURS = {"origin": URL}


@pytest.fixture
def joe(site: Site) -> str:
    """Joe of acme has a password; returns a session's token."""
    token = people.invite(site, ADA, EMAIL, "advertiser:acme", "manager").token
    return people.accept(site, token, HERE, password=PASSWORD, name="Joe").token


def cookie(answer: Response) -> str:
    return answer.cookies["callrace"]


def sit(client: AsyncClient, token: str) -> None:
    """Sits down at a browser that has this session's cookie."""
    client.cookies.clear()
    client.cookies.set("callrace", token, domain="127.0.0.1")


async def post(client: AsyncClient, path: str, **fields: str) -> Response:
    return await client.post(path, data=fields, headers=OURS | {"accept": "text/html"})


async def followed(client: AsyncClient, answer: Response) -> Response:
    """The page that a form led to."""
    assert answer.status_code == 303, answer.text
    return await client.get(answer.headers["location"])


async def is_out(client: AsyncClient) -> bool:
    """Whether nobody is signed in any more."""
    answer = await client.get("/account", headers={"accept": "text/html"})
    return answer.headers.get("location", "").startswith("/sign-in?to=")


async def test_a_password_signs_in_and_leads_to_where_one_was(client: AsyncClient, joe: str) -> None:
    page = await client.get("/sign-in", params={"to": "/calls?day=1&x=2"})
    assert 'value="/calls?day=1&amp;x=2"' in page.text
    answer = await post(client, "/sign-in", **FORM, to="/calls?day=1&x=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls?day=1&x=2")
    said = answer.headers["set-cookie"]
    assert re.fullmatch(r"callrace=[\w-]{43}; HttpOnly; Max-Age=604800; Path=/; SameSite=lax", said)
    assert (await client.get("/account")).status_code == 200


async def test_over_https_the_cookie_is_for_this_host_alone(site: Site, joe: str) -> None:
    public = "https://calls.example"
    settings = replace(site.settings, web=replace(site.settings.web, url=public))
    app = make(Web(replace(site, settings=settings)))
    async with AsyncClient(transport=ASGITransport(app=app), base_url=public) as client:
        answer = await client.post("/sign-in", data=FORM, headers={"origin": public})
    assert answer.headers["set-cookie"].startswith("__Host-callrace=")
    assert answer.headers["set-cookie"].endswith("; HttpOnly; Max-Age=604800; Path=/; SameSite=lax; Secure")
    assert isinstance(settings.web, WebSettings)


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "evil",
        "",
        "/\u2215evil",
    ],
)
async def test_nobody_is_led_to_another_site(client: AsyncClient, joe: str, next: str) -> None:
    assert own_path(next) == "/"
    answer = await post(client, "/sign-in", **FORM, to=next)
    assert answer.headers["location"] == "/"
    assert "x=1" not in str(answer.headers)


@pytest.mark.parametrize(
    "fields", [{}, {"email": EMAIL}, {"email": EMAIL, "password": "wrong"}, {"password": PASSWORD}]
)
async def test_who_gives_the_wrong_ones_gets_the_form_again(
    client: AsyncClient, joe: str, fields: dict[str, str]
) -> None:
    answer = await post(client, "/sign-in", **fields)
    assert answer.status_code == 401
    assert "The address or the password is wrong." in answer.text
    assert "set-cookie" not in answer.headers


async def test_what_was_typed_is_escaped(client: AsyncClient) -> None:
    answer = await post(client, "/sign-in", email='"><script>alert(1)</script>', password="x")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


async def test_a_session_that_somebody_planted_is_not_the_one_that_begins(
    client: AsyncClient, joe: str
) -> None:
    sit(client, "planted")
    answer = await post(client, "/sign-in", **FORM)
    assert cookie(answer) not in ("planted", joe)


async def test_guessing_is_braked(client: AsyncClient, joe: str) -> None:
    for _ in range(5):
        await post(client, "/sign-in", email=EMAIL, password="wrong")
    answer = await post(client, "/sign-in", **FORM)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


async def test_a_code_is_asked_for_and_the_cookie_is_a_new_one(
    client: AsyncClient, site: Site, joe: str
) -> None:
    who = signin.viewer_of(site, joe)
    secret = proofs.new_authenticator(site, who).secret
    [recovery, *_] = proofs.enrol(site, who, secret, pyotp.TOTP(secret).at(site.now() // 1000))
    answer = await post(client, "/sign-in", **FORM, to="/calls?a=b&c=d")
    assert answer.headers["location"] == "/sign-in/code?to=%2Fcalls%3Fa%3Db%26c%3Dd"
    half = cookie(answer)
    assert await is_out(client)
    page = await client.get(answer.headers["location"])
    assert 'value="/calls?a=b&amp;c=d"' in page.text
    assert (await post(client, "/sign-in/code", code="000000")).status_code == 401
    answer = await post(client, "/sign-in/code", code=recovery, to="/calls")
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls")
    assert cookie(answer) != half
    assert (await client.get("/account")).status_code == 200


async def test_a_code_without_a_password_leads_back_to_it(client: AsyncClient) -> None:
    answer = await post(client, "/sign-in/code", code="123456", to="/calls")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=/")


async def test_to_look_at_a_link_does_not_use_it_up(client: AsyncClient, site: Site, joe: str) -> None:
    link = people.sign_in_link(site, ADA, EMAIL).token
    for _ in range(2):
        assert (await client.get("/enter")).status_code == 200
    assert (await post(client, "/enter", token=link)).headers["location"] == "/"
    assert (await client.get("/account")).status_code == 200
    again = await post(client, "/enter", token=link)
    assert (again.status_code, "ask for another" in again.text) == (410, True)


async def test_an_invitation_is_shown_and_then_accepted(client: AsyncClient, site: Site) -> None:
    token = people.invite(site, ADA, EMAIL, "advertiser:acme", "read_only").token
    assert (await client.get("/join")).status_code == 200
    page = await post(client, "/join", token=token)
    assert "ada invites you to advertiser:acme, as read only." in page.text
    short = await post(client, "/join/accept", token=token, name="Joe", password="short")
    assert (short.status_code, 'value="Joe"' in short.text) == (422, True)
    answer = await post(client, "/join/accept", token=token, name="Joe", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "<dd>joe@acme.example</dd>" in (await client.get("/account")).text
    assert (await post(client, "/join", token=token)).status_code == 410


async def test_who_is_signed_in_as_another_can_accept_an_invitation(
    client: AsyncClient, site: Site, joe: str
) -> None:
    sit(client, joe)
    token = people.invite(site, ADA, "ann@acme.example", "advertiser:acme", "manager").token
    await post(client, "/join/accept", token=token, name="Ann", password=PASSWORD)
    assert "<dd>ann@acme.example</dd>" in (await client.get("/account")).text


async def test_who_signs_out_is_out_and_so_is_the_cookie(client: AsyncClient, site: Site, joe: str) -> None:
    sit(client, joe)
    answer = await post(client, "/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert 'callrace=""' in answer.headers["set-cookie"]
    sit(client, joe)
    assert await is_out(client)
    assert (await post(client, "/sign-out")).status_code == 303


async def test_it_is_proved_again_before_money_moves(client: AsyncClient, site: Site, joe: str) -> None:
    sit(client, joe)
    assert (await post(client, "/confirm", proof="wrong")).status_code == 401
    answer = await post(client, "/confirm", proof=PASSWORD, to="/funds")
    assert (answer.headers["location"], cookie(answer) == joe) == ("/funds", False)


PAGES = [
    "/account",
    "/confirm",
    "/join",
    "/join/accept",
    "/enter",
    "/sign-in",
    "/sign-in/code",
    "/sign-out",
    "/look-as",
    "/look-no-more",
]
PAGES += [
    f"/account/{one}" for one in ("password", "authenticator", "authenticator/enrol", "authenticator/drop")
]
PAGES += ["/account/recovery-codes", "/account/sessions/end", "/account/party"]


@pytest.mark.parametrize("path", PAGES)
async def test_no_form_is_taken_from_another_site(client: AsyncClient, joe: str, path: str) -> None:
    sit(client, joe)
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {}):
        answer = await client.post(path, data=FORM, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")


@pytest.mark.parametrize("path", PAGES)
async def test_what_is_no_form_is_refused_without_a_failure(client: AsyncClient, joe: str, path: str) -> None:
    sit(client, joe)
    for body in (b"\xff\xfe", b"email=\xed\xa0\x80&password=%ED%A0%80", b"a" * 10_000):
        kind = {"content-type": "application/x-www-form-urlencoded"} | OURS
        assert (await client.post(path, content=body, headers=kind)).status_code < 500
    many = {"content-type": "multipart/form-data; boundary=x"} | OURS
    part = b'--x\r\nContent-Disposition: form-data; name="email"; filename="a"\r\n\r\nx\r\n--x--\r\n'
    assert (await client.post(path, content=part, headers=many)).status_code < 500


# The account


async def test_a_person_takes_an_authenticator_and_drops_it(
    client: AsyncClient, site: Site, joe: str
) -> None:
    sit(client, joe)
    page = await post(client, "/account/authenticator")
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', page.text)
    assert found is not None
    wrong = await post(client, "/account/authenticator/enrol", secret=found[1], code="000000")
    assert wrong.status_code == 401
    code = pyotp.TOTP(found[1]).at(site.now() // 1000)
    page = await post(client, "/account/authenticator/enrol", secret=found[1], code=code)
    recovery = re.findall(r"([a-z2-9]{5}-[a-z2-9]{5})<br>", page.text)
    assert len(recovery) == 10
    page = await post(client, "/account/recovery-codes", code=recovery[0])
    [fresh, *_] = re.findall(r"([a-z2-9]{5}-[a-z2-9]{5})<br>", page.text)
    page = await post(client, "/account/authenticator/drop", code=fresh)
    assert "No code is asked for any more." in (await followed(client, page)).text


async def test_a_person_changes_the_password_and_signs_a_device_out(
    client: AsyncClient, site: Site, joe: str
) -> None:
    sit(client, joe)
    wrong = await post(client, "/account/password", old="wrong", new="another long one")
    assert (wrong.status_code, "is wrong" in wrong.text) == (401, True)
    page = await post(client, "/account/password", old=PASSWORD, new="another long one")
    assert "The password is changed." in (await followed(client, page)).text
    other = signin.sign_in(site, EMAIL, "another long one", Client("203.0.113.9", "<b>a phone</b>"))
    page = await client.get("/account")
    assert "&lt;b&gt;a phone&lt;/b&gt;" in page.text
    assert "203.0.113.9" in page.text
    session = signin.viewer_of(site, other.token).session
    assert (
        "The session has ended."
        in (await followed(client, await post(client, "/account/sessions/end", id=str(session)))).text
    )
    assert (await post(client, "/account/sessions/end", id="999")).status_code == 404
    sit(client, other.token)
    assert await is_out(client)


async def test_an_operators_person_looks_as_a_party_and_back(
    client: AsyncClient, site: Site, joe: str
) -> None:
    token = people.invite(site, ADA, "ada@example.com", "operator", "owner").token
    ada = people.accept(site, token, HERE, password=PASSWORD, name="Ada").token
    sit(client, ada)
    assert (await post(client, "/look-as", party="publisher:homefix")).status_code == 303
    assert signin.viewer_of(site, ada).seen_by == "ada@example.com"
    assert (await post(client, "/look-no-more")).status_code == 303
    assert signin.viewer_of(site, ada).seen_by is None
    sit(client, joe)
    assert (await post(client, "/look-as", party="publisher:homefix")).status_code == 403
    assert (await post(client, "/account/party", party="operator")).status_code == 404


async def test_no_secret_is_in_an_address_or_a_log(
    client: AsyncClient, site: Site, joe: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = people.invite(site, ADA, "ann@acme.example", "advertiser:acme", "manager").token
    link = people.sign_in_link(site, ADA, EMAIL).token
    await post(client, "/join/accept", token=token, name="Ann", password="a password of hers")
    answers = [await post(client, "/enter", token=link), await post(client, "/sign-in", **FORM)]
    said = caplog.text + str([answer.headers["location"] for answer in answers])
    for secret in (token, link, PASSWORD, "a password of hers", *(cookie(answer) for answer in answers)):
        assert secret not in said
