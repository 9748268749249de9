"""Passkeys: made and removed by who is signed in; signing in by one. A page's script speaks with these, in JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import JSONResponse, Response

from ari_app.access.parties import Viewer
from ari_app.desk import passkeys, signin
from ari_app.web.pages.signing import Field, client_of, signed_in, with_session
from ari_app.web.pages.viewing import done, own_path
from ari_app.web.state import SiteOf, web_of

router = APIRouter(include_in_schema=False)

Person = Annotated[Viewer, Depends(signed_in)]
Answer = Annotated[dict[str, Any], Body()]
PAGE = "/account"


@router.post("/passkeys/options")
def options_to_sign_in(site: SiteOf) -> dict[str, Any]:
    """What the browser is asked, to sign in, or to prove it again."""
    return passkeys.options_to_sign_in(site)


@router.post("/passkeys/sign-in")
def sign_in(request: Request, site: SiteOf, answer: Answer, to: Annotated[str, Body()] = "/") -> Response:
    """Begins a session by a passkey."""
    begun = passkeys.sign_in(site, answer, client_of(request))
    web = web_of(request)
    return with_session(
        web,
        JSONResponse({"to": own_path(to)}),
        begun.token,
        (begun.expires_at - web.site.now()) // 1000,
    )


@router.post("/passkeys/confirm")
def confirm(
    viewer: Person, request: Request, site: SiteOf, answer: Answer, to: Annotated[str, Body()] = "/"
) -> Response:
    """Proves again who it is."""
    token = passkeys.confirm(site, viewer, answer)
    return with_session(web_of(request), JSONResponse({"to": own_path(to)}), token, signin.LONGEST_MS // 1000)


@router.post(f"{PAGE}/passkeys/options")
def options_to_make(viewer: Person, site: SiteOf) -> dict[str, Any]:
    """What the browser is asked, to make a passkey."""
    return passkeys.options_to_make(site, viewer)


@router.post(f"{PAGE}/passkeys")
def add(viewer: Person, site: SiteOf, answer: Answer, name: Annotated[str, Body()] = "") -> dict[str, str]:
    """Adds the passkey that the browser made."""
    passkeys.add(site, viewer, answer, name)
    return {"to": PAGE}


@router.post(f"{PAGE}/passkeys/remove")
def remove(viewer: Person, site: SiteOf, id: Field = "") -> Response:
    """Removes one of the person's passkeys."""
    passkeys.remove(site, viewer, id)
    return done(PAGE, "passkey_removed")
