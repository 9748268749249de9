"""What is each person's own: their password, authenticator, sessions, and as which party they go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from ari_app.access.parties import Viewer
from ari_app.desk import proofs, signin
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import Client
from ari_app.desk.site import Site
from ari_app.web import render
from ari_app.web.pages.signin import HOME, client_of, safe_next
from ari_app.web.problems import of_error
from ari_app.web.state import SiteOf
from ari_app.web.who import viewer_of

router = APIRouter(include_in_schema=False)

Field = Annotated[str, Form()]
PAGE = "/account"


@dataclass(frozen=True, slots=True)
class Own:
    """Somebody who is signed in, and asks for what is theirs alone."""

    site: Site
    viewer: Viewer
    client: Client


def own(request: Request, site: SiteOf) -> Own:
    """A route's dependency: who is signed in. Raises Refused, for programs too."""
    viewer = viewer_of(request)
    if viewer is None or viewer.session is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return Own(site, viewer, client_of(request))


Me = Annotated[Own, Depends(own)]


@router.get(PAGE)
def account(me: Me) -> Response:
    """The page of what is somebody's own."""
    return _page(me)


@router.post(f"{PAGE}/password")
def change_password(me: Me, old: Field = "", new: Field = "") -> Response:
    """Changes the password."""
    return _done(
        me,
        lambda: proofs.change_password(me.site, me.viewer, me.client, old=old, new=new),
        "password_changed",
    )


@router.post(f"{PAGE}/authenticator")
def new_authenticator(me: Me) -> Response:
    """Shows what an authenticator is to know."""
    return _page(me, authenticator=proofs.new_authenticator(me.site, me.viewer))


@router.post(f"{PAGE}/authenticator/enrol")
def enrol(me: Me, secret: Field = "", code: Field = "") -> Response:
    """From now on a code is asked for; shows the recovery codes, this once."""
    return _codes(me, lambda: proofs.enrol(me.site, me.viewer, secret, code))


@router.post(f"{PAGE}/authenticator/drop")
def drop_authenticator(me: Me, code: Field = "") -> Response:
    """No code is asked for any more."""
    return _done(
        me,
        lambda: proofs.drop_authenticator(me.site, me.viewer, me.client, code),
        "authenticator_dropped",
    )


@router.post(f"{PAGE}/recovery-codes")
def recovery_codes(me: Me, code: Field = "") -> Response:
    """Shows new recovery codes, this once; the old ones are good no more."""
    return _codes(me, lambda: proofs.new_recovery_codes(me.site, me.viewer, me.client, code))


@router.post(f"{PAGE}/sessions/{{id}}/end")
def end_session(me: Me, id: int) -> Response:
    """Signs one of the person's devices out."""
    return _done(me, lambda: signin.end(me.site, me.viewer, id), "session_ended")


@router.post(f"{PAGE}/party")
def choose(me: Me, party: Field = "", next: Field = HOME) -> Response:
    """Goes on as another of the person's parties."""
    signin.choose(me.site, me.viewer, party)
    return RedirectResponse(safe_next(next), 303)


@router.post("/look-as")
def look_as(me: Me, party: Field = "") -> Response:
    """An operator's person sees what a party sees."""
    signin.look_as(me.site, me.viewer, party)
    return RedirectResponse(HOME, 303)


@router.post("/look-back")
def look_back(me: Me) -> Response:
    """Goes back to what the person is."""
    signin.look_no_more(me.site, me.viewer)
    return RedirectResponse(HOME, 303)


def _done(me: Own, change: Callable[[], object], done: str) -> Response:
    """Makes a change; shows the page again, with what was done or why it was refused."""
    try:
        change()
    except Refused as refused:
        return _page(me, refused)
    return _page(me, done=done)


def _codes(me: Own, made: Callable[[], list[str]]) -> Response:
    try:
        return _page(me, codes=made())
    except Refused as refused:
        return _page(me, refused)


def _page(me: Own, refused: Refused | None = None, **shown: object) -> Response:
    problem = of_error(refused) if refused is not None else None
    status, headers = (problem.status, problem.headers) if problem is not None else (200, {})
    values: dict[str, object] = {"authenticator": None, "codes": None, "done": ""} | shown
    return render.page(
        "account.html",
        status,
        headers,
        why=problem.detail if problem is not None else "",
        viewer=me.viewer,
        person=proofs.mine(me.site, me.viewer),
        sessions=signin.listed(me.site, me.viewer),
        **values,
    )
