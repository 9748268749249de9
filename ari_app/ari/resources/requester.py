"""What a resource needs from the client."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from ari_app.ari.inbox import Inbox
from ari_app.ari.transport import Response

# An id that needs no quoting; nearly all ids are such.
_PLAIN = re.compile(r"[A-Za-z0-9._~;:@-]+")

# Asterisk's JSON for an object, as its API documents it.
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
        """Sends a request and waits for its answer. Requests on one `object_id` keep their order. Raises AriError."""

    async def make(
        self,
        inbox: Inbox,
        object_id: str,
        uri: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Response:
        """Makes an object by POST. Its events go to `inbox`, which watches it before it is made."""


def part(value: str) -> str:
    """An id, quoted as one part of a URL path. Raises ValueError for an empty id."""
    if _PLAIN.fullmatch(value):
        return value
    if not value:
        raise ValueError("an id is empty")
    return quote(value, safe=";:@")


def given(**parameters: str | int | None) -> dict[str, str]:
    """The query parameters that are not empty."""
    return {name: str(value) for name, value in parameters.items() if value is not None and value != ""}


def listed(values: list[str] | tuple[str, ...], what: str) -> str:
    """Several values in one parameter, joined by commas. Raises ValueError for a value with a comma, or no values."""
    if not values or any("," in value for value in values):
        raise ValueError(f"{what}: {values!r} is empty or holds a comma, which Asterisk would split")
    return ",".join(values)
