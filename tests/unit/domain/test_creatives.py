"""Ads: what a creative must say, that nothing hostile gets through, and how a number comes into each kind."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.market.creatives import clean, complaints_about, fill, for_people, render, unsafe
from ari_app.domain.market.marketplace import Creative

_DID = "+18005550101"


def _creative(**fields: object) -> Creative:
    return Creative(campaign="plumbing", **fields)  # type: ignore[arg-type]


class _Seen(HTMLParser):
    """Every tag and attribute of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


# What is wrong with a creative


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"kind": "banner", "size": "300x250"}, ("image", "expected image, as the kind is banner")),
        ({"kind": "text", "text": "{tel}", "size": "300x250"}, ("size", "a creative of the kind text has no size")),
        ({"kind": "text", "text": "Call us"}, ("text", "expected {number} or {tel} where the publisher's number goes")),
        ({"kind": "text", "text": "{tel} {nubmer}"}, ("text", "'{nubmer}' is neither {number} nor {tel}")),
        (
            {"kind": "text", "text": "{tel}", "status": "rejected"},
            ("reason", "expected a reason where the status is rejected, and only there"),
        ),
        (
            {"kind": "html", "html": '<p onclick="x()">{number}</p><script>y()</script>'},
            ("html", 'not safe, or not whole: cleaning would remove onclick="x()", <script>'),
        ),
    ],
)  # fmt: skip
def test_a_creative_that_cannot_work_is_complained_about(
    fields: dict[str, object], complaint: tuple[str, str]
) -> None:
    assert complaint in complaints_about(_creative(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "banner", "image": "b.png", "size": "300x250", "text": "Call {number}"},
        {"kind": "text", "text": "Burst pipe? {number}"},
        {"kind": "html", "html": '<p class="ad">Burst &amp; leaking?<br/>\n<a href="{tel}">{number}</a></p>'},
        {"kind": "landing", "address": "https://www.example.com/plumbing"},
        {"kind": "text", "text": "{tel}", "status": "rejected", "reason": "no brand"},
    ],
)
def test_a_creative_that_says_what_its_kind_needs_is_good(fields: dict[str, object]) -> None:
    assert not list(complaints_about(_creative(**fields)))


# Hostile HTML


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java\tscript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        "<svg onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        '<iframe src="https://example.com"></iframe>',
        '<p style="position:fixed">x</p>',
        "<!-- x -->",
        "<form action='https://example.com'><input name=card></form>",
        '<meta http-equiv="refresh" content="0;url=https://example.com">',
        '<base href="https://example.com">',
    ],
)
def test_hostile_html_is_reported_and_never_exported(html: str) -> None:
    assert unsafe(html)
    seen = _Seen(render(_creative(kind="html", html=html), _DID, None))
    assert not {"script", "svg", "math", "style", "iframe", "form", "input", "meta", "base"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name == "style"]
    assert not [
        value for name, value in seen.attributes if name == "href" and "tel:" not in value and ":" in value
    ]


_PIECES = st.sampled_from(
    ["<script>", "</script>", "<img src=x ", "onerror=alert(1)", ">", "<", "'", '"', "`", "<a href=", "javascript:",
     "<svg>", "<style>", "</style>", "<!--", "-->", "<p>", "</p>", "&lt;", "&#x6a;", "{tel}", "{number}",
     "\n", " ", "x"]
)  # fmt: skip


@given(st.lists(_PIECES | st.text(max_size=3), max_size=20).map("".join))
def test_nothing_that_runs_survives_cleaning(html: str) -> None:
    seen = _Seen(clean(fill(html, _DID)))
    assert not {"script", "style", "svg"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert not [value for _, value in seen.attributes if value.strip().lower().startswith("javascript:")]


@given(st.lists(_PIECES | st.text(max_size=3), max_size=20).map("".join))
def test_what_is_exported_would_be_accepted(html: str) -> None:
    once = clean(fill(html, _DID))
    assert clean(once) == once


@given(st.text(), st.text(min_size=1))
def test_no_words_of_an_operator_become_a_tag_of_a_banner_or_a_landing_page(words: str, source: str) -> None:
    banner = render(_creative(kind="banner", size="300x250", image="b.png"), _DID, source, "b.png")
    assert _Seen(banner).tags == ["a", "img"]
    landing = _creative(kind="landing", address="https://www.example.com/")
    object.__setattr__(landing, "text", words or "x")  # past its field's type, which takes one printable line
    assert _Seen(render(landing, _DID, source)).tags == ["a"]


# The number in the ad


@pytest.mark.parametrize(("did", "text"), [(_DID, "(800) 555-0101"), ("+442079460018", "+44 20 7946 0018")])
def test_a_number_is_written_as_people_write_it(did: str, text: str) -> None:
    assert for_people(did) == text


@pytest.mark.parametrize(
    ("fields", "ad"),
    [
        ({"kind": "text", "text": "Leak? {number} <24h>"}, "Leak? (800) 555-0101 <24h>"),
        (
            {"kind": "html", "html": '<a href="{tel}">{number}</a>'},
            '<a href="tel:+18005550101">(800) 555-0101</a>',
        ),
        (
            {"kind": "banner", "image": "b.png", "size": "300x250", "text": 'A "good" plumber: {number}'},
            '<a href="tel:+18005550101"><img src="b.png" width="300" height="250" '
            'alt="A &quot;good&quot; plumber: (800) 555-0101" title="A &quot;good&quot; plumber: (800) 555-0101"></a>',
        ),
        (
            {"kind": "landing", "address": "https://www.example.com/?a=1", "text": "Plumbers"},
            '<a href="https://www.example.com/?a=1&amp;number=%2B18005550101&amp;source=side+bar">Plumbers</a>',
        ),
    ],
)  # fmt: skip
def test_each_kind_of_ad_holds_the_publishers_number(fields: dict[str, object], ad: str) -> None:
    assert render(_creative(**fields), _DID, "side bar", "b.png") == ad
