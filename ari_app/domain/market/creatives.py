"""Creatives: ads of a campaign, each exported with the number of the publisher who runs it.

Text and HTML say where the number goes: `{number}` is the number as people write it, `{tel}` the link that
dials it. HTML that cleaning would change is refused. When it is exported, it is cleaned again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from urllib.parse import urlencode

import nh3
import phonenumbers

from ari_app.domain.market.marketplace import Creative

# What each kind must have, and what it may have besides.
_FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "banner": (("image", "size"), ("sha256", "text")),
    "text": (("text",), ()),
    "html": (("html",), ("size",)),
    "landing": (("address",), ("text",)),
}
_CONTENT = ("image", "sha256", "size", "text", "html", "address")

_PLACEHOLDER = re.compile(r"\{(\w+)\}", re.ASCII)
_PLACEHOLDERS = {"number", "tel"}
_EXAMPLE = "+18005550101"
_SHOWN = 5  # parts that cleaning would remove, in one line

# fmt: off
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "center", "code", "dd", "div", "dl", "dt", "em", "figcaption", "figure",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "section", "small", "span", "strong",
    "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}
# fmt: on
_ATTRIBUTES = {
    "*": {"class", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES = {"https", "tel"}


def complaints_about(creative: Creative) -> Iterator[tuple[str, str]]:
    """The mistakes in a creative: the field, and what was expected there."""
    needed, allowed = _FIELDS[creative.kind]
    for field in _CONTENT:
        is_given = getattr(creative, field) is not None
        if field in needed and not is_given:
            yield field, f"expected {field}, as the kind is {creative.kind}"
        if is_given and field not in (*needed, *allowed):
            yield field, f"a creative of the kind {creative.kind} has no {field}"
    if (creative.status == "rejected") != (creative.reason is not None):
        yield "reason", "expected a reason where the status is rejected, and only there"
    for field in ("text", "html"):
        yield from _placeholders(field, getattr(creative, field), is_needed=field == creative.kind)
    removed = unsafe(creative.html) if creative.html else ""
    if removed:
        yield "html", f"not safe, or not whole: cleaning would remove {removed}"


def _placeholders(field: str, text: str | None, *, is_needed: bool) -> Iterator[tuple[str, str]]:
    names = set(_PLACEHOLDER.findall(text or ""))
    for name in sorted(names - _PLACEHOLDERS):
        yield field, f"'{{{name}}}' is neither {{number}} nor {{tel}}"
    if is_needed and text and not names & _PLACEHOLDERS:
        yield field, "expected {number} or {tel} where the publisher's number goes"


# HTML


def clean(html: str) -> str:
    """The HTML without scripts, forms, and links to anything but the web or a phone."""
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None)


def unsafe(html: str) -> str:
    """What cleaning removes from the HTML, in words; empty where it removes nothing."""
    filled = fill(html, _EXAMPLE)
    before, after = _Parts(filled), _Parts(clean(filled))
    removed = list((before.parts - after.parts).keys())
    if not removed and before.words != after.words:
        return "or move some of its text"
    more = f" and {len(removed) - _SHOWN} more" if len(removed) > _SHOWN else ""
    return ", ".join(removed[:_SHOWN]) + more


class _Parts(HTMLParser):
    """The tags, attributes and comments of HTML, counted, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: Counter[str] = Counter()
        self._text: list[str] = []
        self.feed(html)
        self.close()
        self.words = "".join(self._text).split()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts[f"<{tag}>"] += 1
        self.parts.update(f'{name}="{value or ""}"' for name, value in attrs)

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_comment(self, data: str) -> None:
        self.parts["a comment"] += 1

    def handle_decl(self, decl: str) -> None:
        self.parts["a declaration"] += 1

    def handle_pi(self, data: str) -> None:
        self.parts["an instruction"] += 1

    def unknown_decl(self, data: str) -> None:
        self.parts["a declaration"] += 1


# Export


def for_people(did: str) -> str:
    """The number as people write it: (800) 555-0101 in North America, +44 20 7946 0018 elsewhere."""
    number = phonenumbers.parse(did)
    is_national = number.country_code == 1
    style = phonenumbers.PhoneNumberFormat
    text: str = phonenumbers.format_number(number, style.NATIONAL if is_national else style.INTERNATIONAL)
    return text


def fill(text: str, did: str) -> str:
    """The text with the number filled in. Neither form of the number has a character that is special in HTML."""
    return text.replace("{number}", for_people(did)).replace("{tel}", f"tel:{did}")


def render(creative: Creative, did: str, source: str | None, image: str | None = None) -> str:
    """The ad with the publisher's number: text for a text ad, for all others a piece of HTML.

    `image` is the name of the banner's file beside it. A landing page gets number and source in its address.
    """
    match creative.kind:
        case "text":
            return fill(creative.text or "", did)
        case "html":
            return clean(fill(creative.html or "", did))
        case "landing":
            told = {"number": did} | ({"source": source} if source else {})
            address = creative.address or ""
            link = f"{address}{'&' if '?' in address else '?'}{urlencode(told)}"
            return _link(link, escape(fill(creative.text or "{number}", did)))
        case "banner":
            width, height = (creative.size or "").split("x")
            words = escape(fill(creative.text or "Call {number}", did))
            return _link(
                f"tel:{did}",
                f'<img src="{escape(image or "")}" width="{width}" height="{height}" alt="{words}" title="{words}">',
            )


def _link(address: str, inner_html: str) -> str:
    return f'<a href="{escape(address)}">{inner_html}</a>'
