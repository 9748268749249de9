"""The web application: its routers, put together. A new router is a line in one of the two lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ari_app.web import errors, health, limits, pages, render
from ari_app.web.api import api
from ari_app.web.guard import Guard
from ari_app.web.state import Web

ROUTERS = (health.router, *pages.ROUTERS)


def make(web: Web) -> ASGIApp:
    """The application, with its guard around it."""
    app = FastAPI(title="Callrace", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_life)
    app.state.web = web
    errors.register(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/api/v1", api.make(web))
    app.mount("/static", StaticFiles(directory=render.STATIC))
    web.error_page = pages.error_page
    return Guard(app, web)


@asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = limits.THREADS
    yield
