"""The house stays as ARCHITECTURE.md draws it: what it names is there, files and classes are small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
ARCHITECTURE = (REPO / "ARCHITECTURE.md").read_text()
SOURCES = [*REPO.glob("ari_app/**/*.py"), *REPO.glob("agi/*.py")]
MOST_LINES = 400
MOST_ATTRIBUTES = 12
MOST_WORDS = 30

LONGER: dict[str, str] = {
    "ari_app/store/db/tables.py": "every table there is, in one place, to be compared with what the migrations make",
}
"""Files of more lines, and why."""

LARGER: dict[str, str] = {
    "CallRecord": "a contract: its fields are those of the record's JSON",
    "LegRecord": "a contract: its fields are those of a leg in the record's JSON",
    "Campaign": "a contract: its fields are those of a campaign in YAML",
    "Node": "a contract: its fields are those of a flow's node in YAML",
    "Facts": "all that a verdict is made from, as one value",
    "UnderWay": "all that the next switch is told of a call, as one line of the journal",
    "Selection": "all that calls can be asked for by, as one value",
    "Client": "one attribute for each of ARI's resources, under Asterisk's own name",
    "Metrics": "one attribute for each metric",
    "Settings": "one attribute for each setting of the environment",
    "Asterisk": "what tests look at of an Asterisk in memory",
    "Channel": "what tests look at of a channel in it",
    "Journal": "what a thread and the event loop share, under one lock",
    "Writer": "what a thread and the event loop share, under one lock",
    "Lane": "the state of one connection, and of who waits for it",
}
"""Classes of more attributes, and why."""


def named_files() -> set[str]:
    """What ARCHITECTURE.md names between backquotes and looks like a file, or a folder of ours."""
    return set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+(?:\.py|\.conf)?)`", ARCHITECTURE))


def test_what_is_named_is_there() -> None:
    names = named_files()
    assert len(names) > 50
    assert [
        name for name in sorted(names) if not any((top / name).exists() for top in (REPO, REPO / "ari_app"))
    ] == []


def test_the_glossary_is_short() -> None:
    words = ARCHITECTURE.partition("\n## Words\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!word )(.+?) \| .+ \|$", words, re.MULTILINE)
    assert 20 < len(rows) <= MOST_WORDS
    assert rows == sorted(rows, key=str.casefold)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: str(source.relative_to(REPO)))
def test_a_file_is_no_longer_than_somebody_reads_at_once(source: Path) -> None:
    name = str(source.relative_to(REPO))
    assert len(source.read_text().splitlines()) <= MOST_LINES or name in LONGER


def test_a_class_holds_few_things() -> None:
    large = {name for source in SOURCES for name, count in _classes(source) if count > MOST_ATTRIBUTES}
    assert large == set(LARGER)


def _classes(source: Path) -> Iterator[tuple[str, int]]:
    """Each class, and how many attributes it has; a list of names is none of this."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ClassDef) and not any("Enum" in ast.unparse(base) for base in node.bases):
            own = {
                t.target.id
                for t in node.body
                if isinstance(t, ast.AnnAssign) and isinstance(t.target, ast.Name)
            }
            stored = {
                inner.attr
                for inner in ast.walk(node)
                if isinstance(inner, ast.Attribute)
                and isinstance(inner.ctx, ast.Store)
                and _is_self(inner.value)
            }
            yield node.name, len(own | stored)


def _is_self(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "self"
