"""The API as one application of its own: its description (OpenAPI 3.1) has its routes alone."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI
from fastapi.routing import APIRoute

from ari_app.web import errors
from ari_app.web.api import (
    applications,
    bills,
    calls,
    conversions,
    description,
    disputes,
    documents,
    live,
    money,
    numbers,
    payouts,
    recordings,
    reference,
    reports,
    trials,
)
from ari_app.web.state import Web

ROUTERS = (
    calls.router,
    live.router,
    conversions.router,
    disputes.router,
    money.router,
    bills.router,
    payouts.router,
    numbers.router,
    applications.router,
    reports.router,
    recordings.router,
    trials.router,
    documents.router,
    *documents.NOUNS,
    reference.router,
)

ROUTES = [
    route
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
]
"""The routes that the description has."""

ABOUT = """\
Every answer is JSON as docs/json.md and docs/record.md have it; a list is `{"data": [...], "next": ..., "more": ...}`,
or CSV for who accepts `text/csv` alone. Amounts are decimal strings, times ISO 8601 with their offset. Errors are
`application/problem+json` with a `code`. A POST wants an `Idempotency-Key`: under the same one it is done once, and its
answer is told again for a day. An edit wants `If-Match` with the ETag of what was seen. Send your key as
`Authorization: Bearer KEY`."""


def make(web: Web) -> FastAPI:
    """The API for one web server."""
    app = FastAPI(
        title="Callrace",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        generate_unique_id_function=_name,
    )
    app.state.web = web
    errors.register(app)
    for router in ROUTERS:
        app.include_router(router)
    described = cache(lambda: description.described(app, ROUTES))
    app.openapi = described  # type: ignore[method-assign]
    return app


def _name(route: APIRoute) -> str:
    """A route's name for programs, such as `calls_show`."""
    return f"{route.tags[0] if route.tags else 'api'}_{route.name.strip('_')}"
