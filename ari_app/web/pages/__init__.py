"""The portals' pages, a module a page or a noun. ROUTERS has the routers of them all."""

from __future__ import annotations

from fastapi import APIRouter

from ari_app.web.pages import account, calls, live, passkeys, signing, today
from ari_app.web.pages.errors import error_page

__all__ = ["ROUTERS", "error_page"]

ROUTERS: tuple[APIRouter, ...] = (
    signing.router,
    account.router,
    passkeys.router,
    calls.router,
    today.router,
    live.router,
)
"""A new page is a router here, and a row of `navigation.PLACES`."""
