"""Who asks: somebody who is signed in, by their session's cookie, or a program, by its key; and whether they may.

Each route says by which use case it asks (`by`): so who may do it is a row of `access.deeds`, and a route without one
does not come to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.exceptions import HTTPException

from ari_app.access.actor import Actor
from ari_app.access.deeds import DEEDS
from ari_app.access.lens import Lens
from ari_app.access.parties import Viewer
from ari_app.desk import keys, signin, visibility
from ari_app.desk.allowed import require
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.web.state import Web, web_of

_WWW = {"www-authenticate": 'Bearer realm="callrace"'}


def cookie_name(web: Web) -> str:
    """The name of the session's cookie: over HTTPS one that only we can set, for this host alone (RFC 6265bis)."""
    return "__Host-callrace" if web.is_https else "callrace"


def viewer_of(request: Request) -> Viewer | None:
    """Who asks; None: nobody that we know. Raises HTTPException for a key that is none, StoreError."""
    web, said = web_of(request), request.headers.get("authorization")
    if said is not None:
        scheme, _, secret = said.partition(" ")
        found = keys.viewer_of(web.site, secret.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise HTTPException(401, "this is no key, or no more: expected Authorization: Bearer KEY", _WWW)
    else:
        found = _by_session(web, request.cookies.get(cookie_name(web)))
    if found is not None:
        request.scope["callrace.who"] = str(found.actor)
    return found


def _by_session(web: Web, token: str | None) -> Viewer | None:
    """Who is signed in by this cookie; None: nobody, or no longer."""
    try:
        return None if token is None else signin.viewer_of(web.site, token)
    except Refused as refused:
        if refused.code is not Code.NOT_SIGNED_IN:
            raise
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request by somebody who may make it."""

    request: Request
    site: Site
    viewer: Viewer
    lens: Lens

    @property
    def actor(self) -> Actor:
        """Who does what is asked."""
        return self.viewer.actor


def by(use_case: str) -> Callable[[Request], Asked]:
    """A route's dependency: the use case that it asks by, a row of `access.deeds`.

    What it returns raises HTTPException and Refused, where nobody asks, or somebody who may not.
    """
    if use_case not in DEEDS:
        raise KeyError(use_case)

    def ask(request: Request) -> Asked:
        web, viewer = web_of(request), viewer_of(request)
        if viewer is None:
            raise HTTPException(401, "sign in, or send Authorization: Bearer KEY", _WWW)
        now = web.site.now()
        taken = web.limit.take(str(viewer.actor), now)
        request.scope["callrace.headers"] = taken.headers
        if taken.is_too_many:
            raise HTTPException(429, "that is too often: wait, as Retry-After says")
        require(viewer, use_case, now)
        return Asked(request, web.site, viewer, visibility.lens_of(web.site, viewer.party))

    ask.use_case = use_case  # type: ignore[attr-defined]  # for a walk over all routes
    return ask
