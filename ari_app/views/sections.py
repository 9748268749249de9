"""What is told in a heading and sentences: the terminal, a web page and JSON show the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and lines under it. A line that begins with `- ` is a bullet."""

    title: str
    lines: list[str] = field(default_factory=list)


def section_json(section: Section) -> dict[str, Any]:
    """A section for programs: its lines as people read them."""
    return {"title": section.title, "lines": section.lines}
