"""The API's reference: a page made of its own description, and what each code of a problem means. No script."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from ari_app.desk.refused import Code
from ari_app.web.problems import ERRORS, HTTP_CODES, REFUSALS
from ari_app.web.render import page

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "patch", "delete")


@router.get("/")
def reference(request: Request) -> HTMLResponse:
    """The page."""
    described = request.app.openapi()
    routes = [
        {
            "method": method.upper(),
            "path": f"/api/v1{path}",
            "id": operation["operationId"],
            **_told(operation),
        }
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in _METHODS
    ]
    return page("reference.html", about=described["info"]["description"], routes=routes)


@router.get("/problems")
def problems() -> HTMLResponse:
    """What each code means."""
    rows = [(str(code), REFUSALS[code], code.sentence) for code in Code]
    rows += [(problem.code, problem.status, problem.detail) for problem in ERRORS.values()]
    known = {code for code, *_ in rows}
    rows += [(code, status, "") for status, code in HTTP_CODES.items() if code not in known]
    return page("problems.html", rows=sorted(rows))


def _told(operation: Mapping[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "tag": (operation.get("tags") or ["api"])[0],
        "about": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "body": body and body.get("$ref", "").rpartition("/")[2],
    }
