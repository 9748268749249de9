"""Signing in and out: by password and code, by a one-time link, by an invitation; and proving it again.

A link's token stands in the fragment (`/enter#TOKEN`), which no log has; the page's script puts it in the form. Nothing
that a GET does uses it up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ari_app.access.parties import Viewer
from ari_app.desk import people, signin
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import Client, SignedIn
from ari_app.web.pages.viewing import own_path, show_anyone
from ari_app.web.problems import of_error
from ari_app.web.state import SiteOf, Web, web_of
from ari_app.web.who import cookie_name, viewer_of

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]
SESSION_S = signin.LONGEST_MS // 1000


def signed_in(request: Request) -> Viewer:
    """The person who is signed in. Raises Refused where nobody is."""
    viewer = viewer_of(request)
    if viewer is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return viewer


@router.get("/sign-in")
def ask(request: Request, to: str | None = None) -> Response:
    """Asks for address and password."""
    if viewer_of(request) is not None:
        return RedirectResponse(own_path(to), 303)
    return _asked(request, "sign_in.html", to=own_path(to))


@router.post("/sign-in")
def sign_in(
    request: Request, site: SiteOf, email: Field = "", password: Field = "", to: Field = "/"
) -> Response:
    """Begins a session, or asks for the code."""

    def begin() -> SignedIn:
        return signin.sign_in(site, email, password, client_of(request))

    return _tried(request, begin, "sign_in.html", to=own_path(to), email=email)


@router.get("/sign-in/code")
def code_page(request: Request, to: str | None = None) -> Response:
    """Asks for the code."""
    return _asked(request, "code.html", to=own_path(to))


@router.post("/sign-in/code")
def give_code(request: Request, site: SiteOf, code: Field = "", to: Field = "/") -> Response:
    """The second step: the authenticator's code, or a recovery code."""
    token = request.cookies.get(cookie_name(web_of(request)), "")
    return _tried(
        request,
        lambda: signin.give_code(site, token, code, client_of(request)),
        "code.html",
        to=own_path(to),
    )


@router.get("/enter")
def enter_page(request: Request) -> Response:
    """Where a one-time link leads."""
    return _asked(request, "enter.html")


@router.post("/enter")
def enter(request: Request, site: SiteOf, token: Field = "") -> Response:
    """Uses the link."""
    return _tried(request, lambda: signin.sign_in_by_link(site, token, client_of(request)), "enter.html")


@router.get("/join")
def join_page(request: Request) -> Response:
    """Where an invitation leads."""
    return _asked(request, "join.html", invitation=None, token="", name="")


@router.post("/join")
def join(request: Request, site: SiteOf, token: Field = "") -> Response:
    """Says what the invitation is to, and asks for a password."""
    try:
        found = people.invitation(site, token)
    except Refused as refused:
        return _asked(request, "join.html", refused, invitation=None, token="", name="")
    return _asked(request, "join.html", invitation=found, token=token, name="")


@router.post("/join/accept")
def accept(
    request: Request, site: SiteOf, token: Field = "", password: Field = "", name: Field = ""
) -> Response:
    """Accepts the invitation."""
    try:
        found = people.invitation(site, token)
    except Refused as refused:
        return _asked(request, "join.html", refused, invitation=None, token="", name="")

    def begin() -> SignedIn:
        return people.accept(site, token, client_of(request), password=password, name=name)

    return _tried(request, begin, "join.html", invitation=found, token=token, name=name)


@router.post("/sign-out")
def sign_out(request: Request, site: SiteOf) -> Response:
    """Ends the session."""
    web, viewer = web_of(request), viewer_of(request)
    if viewer is not None:
        signin.sign_out(site, viewer)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(web), secure=web.is_https, httponly=True, samesite="lax")
    return answer


@router.get("/confirm")
def confirm_page(
    asked: Annotated[Viewer, Depends(signed_in)], request: Request, to: str | None = None
) -> Response:
    """Asks somebody who is signed in to prove again who they are."""
    return _asked(request, "confirm.html", to=own_path(to))


@router.post("/confirm")
def confirm(
    viewer: Annotated[Viewer, Depends(signed_in)],
    request: Request,
    site: SiteOf,
    proof: Field = "",
    to: Field = "/",
) -> Response:
    """What is done with money is open for some minutes."""
    try:
        token = signin.confirm(site, viewer, proof, client_of(request))
    except Refused as refused:
        return _asked(request, "confirm.html", refused, to=own_path(to))
    return with_session(web_of(request), RedirectResponse(own_path(to), 303), token)


def client_of(request: Request) -> Client:
    """Where the request comes from."""
    return Client(request.client.host if request.client else "", request.headers.get("user-agent", ""))


def with_session(web: Web, answer: Response, token: str, lasts_s: int = SESSION_S) -> Response:
    """The answer, which gives the browser its session. Lax: with Strict the first click from a mail would lose it."""
    answer.set_cookie(
        cookie_name(web), token, max_age=lasts_s, path="/", secure=web.is_https, httponly=True, samesite="lax"
    )
    return answer


def _tried(request: Request, begin: Callable[[], SignedIn], template: str, **values: object) -> Response:
    """What comes of a try to sign in: the page that was wanted, a question for the code, or why not."""
    try:
        begun = begin()
    except Refused as refused:
        if refused.code is Code.NOT_SIGNED_IN:
            raise
        return _asked(request, template, refused, **values)
    web, to = web_of(request), str(values.get("to", "/"))
    lasts_s = (begun.expires_at - web.site.now()) // 1000
    if begun.awaits_code:
        to = f"/sign-in/code?{urlencode({'to': to})}"
    return with_session(web, RedirectResponse(to, 303), begun.token, lasts_s)


def _asked(request: Request, template: str, refused: Refused | None = None, **values: object) -> Response:
    """A form, with what was wrong with what it had."""
    problem = of_error(refused) if refused is not None else None
    status = problem.status if problem else 200
    headers = problem.headers if problem else {}
    return show_anyone(
        request, template, status, headers, problem=problem, **{"email": "", "to": "/", **values}
    )
