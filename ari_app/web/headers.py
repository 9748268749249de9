"""The headers that every answer carries: what a browser may do with it.

https://owasp.org/www-project-secure-headers/, https://www.w3.org/TR/CSP3/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""All is ours and comes from us; nothing inline runs, nothing is evaluated, nobody frames us."""

_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}
_UNLESS_SAID = {"cache-control": "no-store"}

Raw = tuple[bytes, bytes]
"""A header as ASGI has it."""


def completed(given: Iterable[Raw], *, is_https: bool) -> list[Raw]:
    """The headers of an answer, with those that every answer has."""
    said = [(name.lower(), value) for name, value in given]
    always = _raw(_ALWAYS | (_HTTPS_ONLY if is_https else {}))
    names = {name for name, _ in said}
    unless_said = {name: value for name, value in _raw(_UNLESS_SAID).items() if name not in names}
    return [*((n, v) for n, v in said if n not in always), *unless_said.items(), *always.items()]


def _raw(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}
