"""The portals' pages, a module a page or a noun. ROUTERS has the routers of them all."""

from __future__ import annotations

from fastapi import APIRouter

from ari_app.web.pages import (
    account,
    calls,
    campaigns,
    disputes,
    live,
    market,
    money,
    operating,
    passkeys,
    reports,
    signing,
    today,
)
from ari_app.web.pages.errors import error_page

__all__ = ["ROUTERS", "error_page"]

ROUTERS: tuple[APIRouter, ...] = tuple(
    page.router
    for page in (
        signing,
        account,
        passkeys,
        today,
        live,
        calls,
        campaigns,
        market,
        disputes,
        money,
        reports,
        operating,
    )
)
"""A new page is a router here, and a row of `navigation.PLACES`."""
