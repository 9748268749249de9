"""What a resource needs from the client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from ari_app.ari.inbox import Inbox
from ari_app.ari.transport import Response

# An id that needs no quoting, as nearly all do.
_PLAIN = re.compile(r"[A-Za-z0-9._~;:@-]+")

# What Asterisk says of an object, as its API documents it.
Json = dict[str, Any]


class Requester(Protocol):
    """Carries out requests. `Client` is one."""

    @property
    def app(self) -> str:
        """The Stasis application's name."""

    async def request(
        self,
        method: str,
        uri: str,
        object_id: str = "",
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        """Carries out a request, in the order of the requests about `object_id`. Raises AriError."""

    async def make(
        self,
        inbox: Inbox,
        object_id: str,
        uri: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        """POSTs to make an object whose events go to `inbox`, watched before it is made."""


def part(value: str) -> str:
    """An id as one part of an address. Raises ValueError for an empty one."""
    if _PLAIN.fullmatch(value):
        return value
    if not value:
        raise ValueError("an id is empty")
    return quote(value, safe=";:@")


def given(**parameters: str | int | None) -> dict[str, str]:
    """Query parameters, of those that are not empty."""
    return {name: str(value) for name, value in parameters.items() if value is not None and value != ""}


def listed(values: list[str] | tuple[str, ...], what: str) -> str:
    """Several values as Asterisk takes them. Raises ValueError for one that holds a comma, or none."""
    if not values or any("," in value for value in values):
        raise ValueError(f"{what}: {values!r} is empty or holds a comma, which Asterisk would split")
    return ",".join(values)
