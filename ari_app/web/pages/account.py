"""The person's own account: sessions, password, authenticator; and as whom they look."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from ari_app.access.parties import Viewer
from ari_app.desk import passkeys, proofs, signin
from ari_app.desk.refused import Refused
from ari_app.desk.site import Site
from ari_app.desk.visibility import lens_of
from ari_app.web.pages.signing import Field, client_of, signed_in
from ari_app.web.pages.viewing import came_from, done, show
from ari_app.web.problems import of_error
from ari_app.web.state import SiteOf
from ari_app.web.who import Asked

router = APIRouter(include_in_schema=False)

Person = Annotated[Viewer, Depends(signed_in)]
PAGE = "/account"


@router.get("/account")
def account(request: Request, site: SiteOf, viewer: Person) -> Response:
    """Who they are, what they belong to, where they are signed in."""
    return _page(request, site, viewer)


@router.post("/account/password")
def password(request: Request, site: SiteOf, viewer: Person, new: Field = "", old: Field = "") -> Response:
    """Changes the password."""
    try:
        proofs.change_password(site, viewer, client_of(request), old=old, new=new)
    except Refused as refused:
        return _page(request, site, viewer, refused=refused)
    return done(PAGE, "password")


@router.post("/account/authenticator")
def new_authenticator(request: Request, site: SiteOf, viewer: Person) -> Response:
    """Shows a new authenticator's secret, and asks for a code of it."""
    return _page(request, site, viewer, new=proofs.new_authenticator(site, viewer))


@router.post("/account/authenticator/enrol")
def enrol(request: Request, site: SiteOf, viewer: Person, secret: Field = "", code: Field = "") -> Response:
    """From now on a code is asked for; shows the recovery codes, this once."""
    try:
        return _page(request, site, viewer, recovery=proofs.enrol(site, viewer, secret, code))
    except Refused as refused:
        again = proofs.Authenticator(secret, "")
        return _page(request, site, viewer, refused=refused, new=again)


@router.post("/account/authenticator/drop")
def drop(request: Request, site: SiteOf, viewer: Person, code: Field = "") -> Response:
    """No code is asked for any more."""
    try:
        proofs.drop_authenticator(site, viewer, client_of(request), code)
    except Refused as refused:
        return _page(request, site, viewer, refused=refused)
    return done(PAGE, "authenticator_dropped")


@router.post("/account/recovery-codes")
def recovery_codes(request: Request, site: SiteOf, viewer: Person, code: Field = "") -> Response:
    """New recovery codes, shown this once."""
    try:
        fresh = proofs.new_recovery_codes(site, viewer, client_of(request), code)
    except Refused as refused:
        return _page(request, site, viewer, refused=refused)
    return _page(request, site, viewer, recovery=fresh)


@router.post("/account/sessions/end")
def end(site: SiteOf, viewer: Person, id: Annotated[int, Form()]) -> Response:
    """Ends one of the person's sessions."""
    signin.end(site, viewer, id)
    return done(PAGE, "session_ended")


@router.post("/account/party")
def choose(site: SiteOf, viewer: Person, party: Field = "") -> Response:
    """Goes on as another of the person's parties."""
    signin.choose(site, viewer, party)
    return done("/")


@router.post("/look-as")
def look_as(site: SiteOf, viewer: Person, party: Field = "") -> Response:
    """An operator's person sees what a party sees."""
    signin.look_as(site, viewer, party)
    return done("/")


@router.post("/look-no-more")
def look_no_more(request: Request, site: SiteOf, viewer: Person) -> Response:
    """Back to what they are."""
    signin.look_no_more(site, viewer)
    return done(came_from(request))


def _page(
    request: Request,
    site: Site,
    viewer: Viewer,
    *,
    refused: Refused | None = None,
    new: proofs.Authenticator | None = None,
    recovery: list[str] | None = None,
) -> Response:
    problem = of_error(refused) if refused is not None else None
    return show(
        Asked(request, site, viewer, lens_of(site, viewer.party)),
        "account.html",
        problem.status if problem else 200,
        problem.headers if problem else None,
        problem=problem,
        new=new,
        recovery=recovery,
        person=proofs.mine(site, viewer),
        sessions=signin.listed(site, viewer),
        passkeys=passkeys.listed(site, viewer),
    )
