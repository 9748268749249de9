"""The API as one application of its own: its description (OpenAPI 3.1) has its routes alone."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from ari_app.web import errors
from ari_app.web.state import Web

ROUTERS: tuple[APIRouter, ...] = ()


def make(web: Web) -> FastAPI:
    """The API for one web server."""
    app = FastAPI(title="Callrace", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.web = web
    errors.register(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
