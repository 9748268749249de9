"""Whether the web server lives, for a supervisor: it says nothing of what stands behind it, which has its own."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    """200 while the process answers."""
    return PlainTextResponse("ok\n")
