"""How much a request may say, and how long anything may take. All else is refused, or given up."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

HEADER_BYTES = 16 * 1024
"""The request line and all headers together."""
BODY_BYTES = 8 * 1024 * 1024
"""A whole marketplace, a list of numbers, or a banner."""
TOO_LARGE = f"the body is larger than {BODY_BYTES // 1024 // 1024} MB"
HEADER_S = 10.0
"""From a connection's beginning, or the end of the request before, to the end of the next one's headers."""
BODY_S = 30.0
ANSWER_S = 45.0
"""From a request's end until its answer begins."""
SEND_S = 30.0
"""Until the client has taken one piece of an answer."""
AT_WORK = 200
"""Requests whose answer has not begun. One more is asked to come again."""
THREADS = 12
"""Use cases at once: fewer than the database's pool has connections."""

_LENGTH = re.compile(r"\d{1,15}", re.ASCII)


def body_complaint(headers: Mapping[str, str]) -> str | None:
    """Why a body is not even read; None: it is read."""
    length = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length) or int(length) > BODY_BYTES:
        return TOO_LARGE
    return None


def host_complaint(headers: Mapping[str, str], ours: Collection[str]) -> str | None:
    """Why a name by which we are asked is none of ours; None: it is. So that nobody else's name leads to us."""
    host = headers.get("host", "").lower()
    return None if host in ours else f"nobody here is called {host[:100]!r}: set CALLRACE_WEB_URL"
