"""A page, as somebody who is signed in sees it: what every one has, and the answer made of its template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from ari_app.access.deeds import DEEDS, may
from ari_app.access.parties import Viewer
from ari_app.web.messages import catalogue
from ari_app.web.pages.navigation import places_of
from ari_app.web.render import page
from ari_app.web.who import Asked
from ari_app.web.zones import zone_of


def show(
    asked: Asked, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: object
) -> HTMLResponse:
    """The page for who asked. Without script it does the same, but for what is live."""
    return page(template, status, headers, **_frame(asked.request, asked.viewer, asked.site.now()), **values)


def show_anyone(
    request: Request,
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """A page for which nobody has to be signed in."""
    return page(template, status, headers, **_frame(request, None, 0), **values)


def done(path: str, said: str | None = None) -> RedirectResponse:
    """After a form: goes on to a page of ours, which says so (a message of `said`)."""
    return RedirectResponse(_with(path, said=said) if said else path, 303)


def own_path(text: str | None, otherwise: str = "/") -> str:
    """The text if it is an address on this server, without a host; so nobody is sent elsewhere by a link to us."""
    if text is None or not text.startswith("/") or not (text.isascii() and text.isprintable()):
        return otherwise
    return otherwise if text[1:2] == "/" or "\\" in text else text


def came_from(request: Request, otherwise: str = "/") -> str:
    """The page of ours that a form stood on."""
    referer = urlsplit(request.headers.get("referer", ""))
    is_ours = referer.netloc == request.headers.get("host")
    path = f"{referer.path}?{referer.query}" if referer.query else referer.path
    return own_path(path, otherwise) if is_ours else otherwise


def _with(path: str, **more: str) -> str:
    at = urlsplit(path)
    kept = [(name, value) for name, value in parse_qsl(at.query) if name not in more]
    return f"{at.path}?{urlencode([*kept, *more.items()])}"


def _frame(request: Request, viewer: Viewer | None, now: int) -> dict[str, Any]:
    zone, said = zone_of(request), f"said.{request.query_params.get('said')}"
    return {
        "viewer": viewer,
        "path": request.url.path,
        "query": defaultdict(str, request.query_params),
        "places": places_of(viewer) if viewer else (),
        "may": _may(viewer),
        "is_proved": _is_proved(viewer, now),
        "zone": zone,
        "said": catalogue().get(said),
        "link": lambda **changes: _link(request, changes),
    }


def _may(viewer: Viewer | None) -> Callable[[str], bool]:
    return lambda deed: viewer is not None and may(viewer, deed)


def _is_proved(viewer: Viewer | None, now: int) -> Callable[[str], bool]:
    """Whether a use case can be done at once: who moves money has proved who they are a short while ago."""
    return lambda deed: viewer is not None and (not DEEDS[deed].is_fresh or viewer.is_fresh(now))


def _link(request: Request, changes: Mapping[str, object]) -> str:
    """The address of this page with some of its query changed; None takes one away."""
    query = {**request.query_params, **changes}
    query.pop("said", None)
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{request.url.path}?{urlencode(kept)}" if kept else request.url.path
