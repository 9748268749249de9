"""Answers of the API: one thing with its ETag, and a list, as JSON or as CSV; each as the asker may see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request
from starlette.responses import Response

from ari_app.views.flat import write_flat
from ari_app.web.who import Asked

JSON, CSV = "application/json", "text/csv"
MOST = 1_000
"""The most that one page has."""

Thing = Mapping[str, Any]


def etag(thing: Thing) -> str:
    """The ETag of a thing: another one, if anything of what is told of it is another."""
    return f'"{sha256(orjson.dumps(thing, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]}"'


def one(asked: Asked, noun: str, thing: Thing, status: int = 200) -> Response:
    """A thing of this noun (docs/json.md); 304 where the asker has it as it is."""
    shown = asked.lens.shown(noun, thing)
    tag = etag(shown)
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if asked.request.method == "GET" and tag in tags(asked.request.headers.get("if-none-match")):
        return Response(None, 304, headers)
    return Response(orjson.dumps(shown), status, headers, JSON)


def every(asked: Asked, noun: str, things: Iterable[Thing], campaigns: Iterable[str] = ()) -> Response:
    """Those of the things that are the asker's. `campaigns`: their own, where a thing names no party."""
    return listing(asked.request, asked.lens.listed(noun, things, frozenset(campaigns)))


def listing(
    request: Request, shown: Sequence[Thing], next_: str | None = None, *, more: bool = False
) -> Response:
    """A list, as the asker may see it. `next_`: where to go on, in `next` and in a Link; `more`: at once."""
    headers = {}
    if next_ is not None:
        query = urlencode({**request.query_params, "cursor": next_})
        headers["link"] = f'<{request.url.path}?{query}>; rel="next"'
    if is_csv(request):
        file = StringIO()
        write_flat(file, shown)
        return Response(file.getvalue(), 200, headers, f"{CSV}; charset=utf-8")
    return Response(orjson.dumps({"data": shown, "next": next_, "more": more}), 200, headers, JSON)


def is_csv(request: Request) -> bool:
    """Whether the asker takes CSV, and no JSON."""
    wanted = {part.split(";")[0].strip() for part in request.headers.get("accept", "").split(",")}
    return CSV in wanted and JSON not in wanted


def tags(header: str | None) -> set[str]:
    """The ETags that a header lists."""
    return {tag.strip().removeprefix("W/") for tag in (header or "").split(",")}
