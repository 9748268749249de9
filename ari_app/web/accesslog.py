"""The access log: one line a request, with the route in place of the address.

An address may hold what is secret (a link's token) or personal (a caller's number in a query): the route's own text has
neither.
"""

from __future__ import annotations

import logging

from starlette.types import Scope

from ari_app.logs import fields
from ari_app.web.errors import request_id

log = logging.getLogger("ari_app.web.access")


def line(scope: Scope, status: int | None, took_ms: int) -> None:
    """Logs a request that is over; `status` None: its client went before the answer."""
    client = scope.get("client")
    log.info(
        "%s %s",
        scope["method"],
        route_of(scope),
        extra=fields(
            status=status,
            ms=took_ms,
            request=request_id(scope),
            client=client[0] if client else None,
            who=scope.get("callrace.who"),
        ),
    )


def route_of(scope: Scope) -> str:
    """The route's text, such as `/api/v1/calls/{call_id}`; `-` where there is none."""
    path = getattr(scope.get("route"), "path", None)
    return "-" if path is None else f"{scope.get('root_path', '')}{path}"
