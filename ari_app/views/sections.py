"""A heading with sentences or rows under it: the terminal, a web page and JSON show the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and lines under it. A line that begins with `- ` is a bullet."""

    title: str
    lines: list[str] = field(default_factory=list)


class Listing(NamedTuple):
    """A heading with a table under it; None is an empty cell."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def listed(
    columns: Mapping[str, str], things: Iterable[Mapping[str, Any]]
) -> tuple[list[str], list[list[object]]]:
    """The columns and rows of a list of JSON objects; `columns` has the object's field for each heading."""
    return list(columns), [[thing[field] for field in columns.values()] for thing in things]


def section_json(section: Section) -> dict[str, Any]:
    """A section for programs, with the same lines as for people."""
    return {"title": section.title, "lines": section.lines}
