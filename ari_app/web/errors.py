"""Each error becomes an answer: a page for people, `problem+json` for programs. What nobody expected is logged."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ari_app.desk.refused import Refused
from ari_app.web import problems
from ari_app.web.problems import ERRORS, Problem, of_error, of_status
from ari_app.web.state import Web, web_of

log = logging.getLogger(__name__)


def register(app: FastAPI) -> None:
    """Has the app answer every error by this module."""
    expected: tuple[type[Exception], ...] = (Refused, *ERRORS)
    for kind in expected:
        app.add_exception_handler(kind, _expected)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)


def answer(request: Request, problem: Problem) -> Response:
    """The problem as an answer: a page where a person asked for one."""
    web = web_of(request)
    if web.error_page is not None and _is_a_person(request):
        return web.error_page(request, problem)
    return as_json(web, problem, request_id(request.scope))


def as_json(web: Web, problem: Problem, instance: str) -> Response:
    """The problem for programs."""
    said = problems.body(problem, f"{web.settings.public_url}/api/v1/problems", instance)
    return Response(orjson.dumps(said), problem.status, dict(problem.headers), problems.MEDIA_TYPE)


def request_id(scope: Any) -> str:
    """The id of a request, by which its lines are found in the log."""
    found: str = scope.get("callrace.request", "-")
    return found


def _is_a_person(request: Request) -> bool:
    path = request.scope.get("root_path", "")
    return not path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _expected(request: Request, error: Exception) -> Response:
    problem = of_error(error)
    assert problem is not None, "registered for these classes alone"
    if problem.status >= 500:
        log.warning("%s: %s", request_id(request.scope), error)
    return answer(request, problem)


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(request, of_status(error.status_code, str(error.detail or ""), error.headers))


def _invalid(request: Request, error: Exception) -> Response:
    """Parameters and bodies that are not as the API's description says."""
    assert isinstance(error, RequestValidationError)
    found = [
        {"field": ".".join(str(step) for step in one["loc"][1:]) or str(one["loc"][0]), "why": one["msg"]}
        for one in error.errors()
    ]
    first = found[0]
    return answer(
        request, Problem(422, "invalid", f"{first['field']}: {first['why']}".lower(), {"errors": found})
    )


def _failed(request: Request, error: Exception) -> Response:
    """The server logs it when it comes out of the app (`guard`)."""
    return answer(request, of_status(500, "this failed; it is in the log under the id of this request"))
