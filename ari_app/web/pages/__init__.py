"""The portals' pages, a module a page or a noun. ROUTERS has the routers of them all."""

from __future__ import annotations

from fastapi import APIRouter

from ari_app.web.state import ErrorPage

ROUTERS: tuple[APIRouter, ...] = ()

error_page: ErrorPage | None = None
"""Shows a problem to a person; None: people get it as programs do."""
