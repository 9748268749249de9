"""What went wrong, for people: what happened, what to do, and a way on."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from ari_app.web.errors import request_id
from ari_app.web.pages.viewing import came_from, own_path, show_anyone
from ari_app.web.problems import Problem

_NOBODY = ("not_signed_in", "not_authenticated")


def error_page(request: Request, problem: Problem) -> Response:
    """The problem as a page. Who is not signed in is asked to, and comes back to what they wanted."""
    if problem.code in _NOBODY:
        query = f"?{request.url.query}" if request.url.query else ""
        wanted = f"{request.url.path}{query}" if request.method == "GET" else came_from(request)
        return RedirectResponse(f"/sign-in?to={quote(own_path(wanted))}", 303)
    return show_anyone(
        request,
        "problem.html",
        problem.status,
        problem.headers,
        problem=problem,
        request_id=request_id(request.scope),
        back=came_from(request),
    )
