"""Whether a request that changes something comes from one of our own pages, or from a program.

A browser says where a request comes from: by `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), and by `Origin`
(RFC 6454), neither of which a page can forge. A program sends neither, and proves itself by a key; so it sends no
cookie. That holds beside SameSite cookies, not in place of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing (RFC 9110, 9.2.1)."""


def complaint(method: str, headers: Mapping[str, str], ours: Collection[str]) -> str | None:
    """Why the request is refused; None: it is not. `ours`: our own origins, such as `https://calls.example`."""
    if method in SAFE:
        return None
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site != "same-origin":
        return "this came from a page of another site"
    if origin is not None and origin not in ours:
        return f"this came from a page of another origin; ours is {', '.join(sorted(ours))}"
    if site is None and origin is None and "cookie" in headers:
        return (
            "this came with a session's cookie, but without the page that it came from: use a newer browser"
        )
    return None
