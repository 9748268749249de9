"""What is told in a heading and sentences: the terminal, a web page and JSON show the same."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and lines under it. A line that begins with `- ` is a bullet."""

    title: str
    lines: list[str] = field(default_factory=list)
