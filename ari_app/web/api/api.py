"""The API as one application of its own: its description (OpenAPI 3.1) has its routes alone."""

from __future__ import annotations

from fastapi import FastAPI

from ari_app.web import errors
from ari_app.web.api import (
    applications,
    bills,
    calls,
    conversions,
    disputes,
    documents,
    live,
    money,
    numbers,
    payouts,
    reference,
    reports,
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
    documents.router,
    *documents.NOUNS,
    reference.router,
)

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
    )
    app.state.web = web
    errors.register(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
