"""Signing in, by password and code or by a link; joining by an invitation; signing out; proving it again.

A link's token stands behind `#`, which no browser sends: a page's script puts it into a form. So it is in no log, and
what fetches links to look into them uses none up.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from ari_app.desk import people, signin
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import Client, SignedIn
from ari_app.web import render
from ari_app.web.problems import of_error
from ari_app.web.state import SiteOf, Web, web_of
from ari_app.web.who import cookie_name, viewer_of

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]
HOME = "/"


@router.get("/sign-in")
def sign_in_page(next: str = HOME) -> Response:
    """Asks for address and password."""
    return render.page("signin/sign_in.html", next=safe_next(next), email="", why="")


@router.post("/sign-in")
def sign_in(
    request: Request, site: SiteOf, email: Field = "", password: Field = "", next: Field = HOME
) -> Response:
    """Begins a session; asks for the code next, where the person has an authenticator."""
    try:
        begun = signin.sign_in(site, email, password, client_of(request))
    except Refused as refused:
        return _again("signin/sign_in.html", refused, next=safe_next(next), email=email)
    return _begun(request, begun, safe_next(next))


@router.get("/sign-in/code")
def code_page(next: str = HOME) -> Response:
    """Asks for the code."""
    return render.page("signin/code.html", next=safe_next(next), why="")


@router.post("/sign-in/code")
def code(request: Request, site: SiteOf, code: Field = "", next: Field = HOME) -> Response:
    """The second step."""
    try:
        begun = signin.give_code(site, _token(request), code, client_of(request))
    except Refused as refused:
        if refused.code is Code.NOT_SIGNED_IN:
            return _to("/sign-in", next)
        return _again("signin/code.html", refused, next=safe_next(next))
    return _begun(request, begun, safe_next(next))


@router.get("/enter")
def enter_page() -> Response:
    """Asks to press a button, by which a link signs in."""
    return render.page("signin/enter.html", why="")


@router.post("/enter")
def enter(request: Request, site: SiteOf, token: Field = "") -> Response:
    """Begins a session by a link."""
    try:
        return _begun(request, signin.sign_in_by_link(site, token, client_of(request)), HOME)
    except Refused as refused:
        return _again("signin/enter.html", refused)


@router.get("/join")
def join_page() -> Response:
    """Asks to press a button, by which the invitation is shown."""
    return render.page("signin/join.html", why="", invitation=None, token="", name="")


@router.post("/join")
def join(
    request: Request,
    site: SiteOf,
    token: Field = "",
    name: Field = "",
    password: Annotated[str | None, Form()] = None,
) -> Response:
    """Shows an invitation; with a password, accepts it."""
    invitation = None
    try:
        invitation = people.invitation(site, token)
        if password is not None:
            begun = people.accept(site, token, client_of(request), password=password, name=name)
            return _begun(request, begun, HOME)
    except Refused as refused:
        return _again("signin/join.html", refused, invitation=invitation, token=token, name=name)
    return render.page("signin/join.html", why="", invitation=invitation, token=token, name=name)


@router.post("/sign-out")
def sign_out(request: Request, site: SiteOf) -> Response:
    """Ends the session; it is no error when it is over already."""
    viewer = viewer_of(request)
    if viewer is not None and viewer.session is not None:
        signin.sign_out(site, viewer)
    answer = _to("/sign-in")
    answer.delete_cookie(cookie_name(web_of(request)), secure=web_of(request).is_https, httponly=True)
    return answer


@router.get("/confirm")
def confirm_page(next: str = HOME) -> Response:
    """Asks somebody who is signed in to prove again who they are."""
    return render.page("signin/confirm.html", next=safe_next(next), why="")


@router.post("/confirm")
def confirm(request: Request, site: SiteOf, proof: Field = "", next: Field = HOME) -> Response:
    """What is done with money is open for some minutes."""
    viewer = viewer_of(request)
    if viewer is None:
        return _to("/sign-in", next)
    try:
        token = signin.confirm(site, viewer, proof, client_of(request))
    except Refused as refused:
        return _again("signin/confirm.html", refused, next=safe_next(next))
    answer = _to(safe_next(next))
    set_cookie(web_of(request), answer, token, signin.LONGEST_MS)
    return answer


# For other pages


def safe_next(path: str) -> str:
    """Where to go afterwards: a path of our own, and nothing else, whatever stands in the address."""
    is_ours = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isascii() and path.isprintable()
    return path if is_ours and "\\" not in path else HOME


def client_of(request: Request) -> Client:
    """Where a request comes from."""
    address = request.client.host if request.client is not None else "unknown"
    return Client(address, request.headers.get("user-agent", ""))


def set_cookie(web: Web, answer: Response, token: str, lasts_ms: int) -> None:
    """Gives a session's token to the browser: no script reads it, and no other site has it sent with a form."""
    answer.set_cookie(
        cookie_name(web), token, max_age=lasts_ms // 1000, secure=web.is_https, httponly=True, samesite="lax"
    )


def _begun(request: Request, begun: SignedIn, then: str) -> Response:
    web = web_of(request)
    answer = _to("/sign-in/code", then) if begun.awaits_code else _to(then)
    set_cookie(web, answer, begun.token, begun.expires_at - web.site.now())
    return answer


def _again(template: str, refused: Refused, **values: object) -> Response:
    """The form again, with why it was refused."""
    problem = of_error(refused)
    assert problem is not None
    return render.page(template, problem.status, problem.headers, why=problem.detail, **values)


def _token(request: Request) -> str:
    return request.cookies.get(cookie_name(web_of(request)), "")


def _to(path: str, then: str | None = None) -> RedirectResponse:
    """Sends the browser to a page; `then`: where that leads on to."""
    return RedirectResponse(path if then is None else f"{path}?next={quote(safe_next(then), safe='/')}", 303)
