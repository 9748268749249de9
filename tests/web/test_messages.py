"""Every message that a page names is in the catalogue, and every one that is there is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import TemplateError

from ari_app.web import messages, render
from ari_app.web.pages.navigation import PLACES

WEB = Path(messages.__file__).parent
SOURCES = [*render.TEMPLATES.glob("**/*.html"), *WEB.glob("**/*.py")]
LITERAL = re.compile(r"""\b(?:t|text)\(\s*"([a-z_]+\.[a-z_]+)"[,)]""")
PREFIX = re.compile(r"""\bt\(\s*"([a-z_]+\.[a-z_]*)" ~""")
COLUMN = re.compile(r'\bColumn\(\s*"([a-z_]+)"')
TITLE = re.compile(r'"([a-z_]+\.[a-z_]+)", (?:[A-Z_]+), ')
SAID = re.compile(r'\bdone\([^\n]*?"([a-z_]+)"\)')
EMPTY = re.compile(r'parts\.empty\("([a-z_]+)"\)')
WORDS = ("word", "look", "role", "disposition", "open_to")
"""Parts that have a message only where our own word does not do (`messages.known`)."""


def named() -> set[str]:
    """The messages that pages name in full."""
    found: set[str] = set()
    for path in SOURCES:
        said = path.read_text(encoding="utf-8")
        found |= set(LITERAL.findall(said)) | set(TITLE.findall(said))
        found |= {f"column.{name}" for name in COLUMN.findall(said)}
        found |= {f"said.{name}" for name in SAID.findall(said)}
        found |= {f"empty.{name}{rest}" for name in EMPTY.findall(said) for rest in ("", "_next")}
    return found | {f"place.{place.name}" for place in PLACES}


def test_what_pages_name_is_in_the_catalogue() -> None:
    assert sorted(named() - set(messages.catalogue())) == []


def test_what_is_in_the_catalogue_is_named() -> None:
    prefixes = {prefix for path in SOURCES for prefix in PREFIX.findall(path.read_text(encoding="utf-8"))}
    idle = [
        name
        for name in messages.catalogue()
        if name.partition(".")[0] not in WORDS
        and not name.startswith(tuple(prefixes))
        and name not in named()
    ]
    assert idle == []


def test_a_template_with_a_message_that_is_not_there_fails() -> None:
    with pytest.raises((KeyError, TemplateError)):
        render.environment().from_string('{{ t("nothing.here") }}').render()


def test_a_message_without_its_fact_fails() -> None:
    with pytest.raises(KeyError):
        messages.text("frame.zone")


@pytest.mark.parametrize("path", sorted(render.TEMPLATES.glob("**/*.html")), ids=lambda path: path.name)
def test_no_page_has_script_or_style_in_it(path: Path) -> None:
    said = path.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src=)|https?://", said)


def test_our_script_needs_no_eval_and_nobody_elses_server() -> None:
    said = (render.STATIC / "callrace.js").read_text(encoding="utf-8")
    assert not re.search(r"\beval\(|new Function|https?://|document\.write", said)
