"""README.md as tests read it: its chapters' blocks of commands, and each command that it names."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "README.md").read_text()


def commands(chapter: str) -> str:
    """The commands of a chapter's first block, as they stand there: a shell script."""
    _, _, rest = TEXT.partition(f"\n## {chapter}\n")
    assert rest, f"README has no chapter {chapter!r}"
    lines = rest.partition("\n## ")[0].splitlines(keepends=True)
    begins = next(n for n, line in enumerate(lines) if line.startswith("    "))
    block = re.match(r"(?:    .*\n)+", "".join(lines[begins:]))
    assert block is not None
    return textwrap.dedent(block[0])


def named() -> list[str]:
    """Every `callrace ...` of the text: in a block or between backquotes; on one line, without remarks."""
    spans = [" ".join(span.split()) for span in re.findall(r"`(callrace [^`]+)`", TEXT)]
    lines = re.sub(r"\\\n\s+", "", "\n".join(re.findall(r"^    (.*)$", TEXT, re.MULTILINE))).splitlines()
    parts = [part.strip() for line in lines for part in re.split(r" && | +# ", line)]
    return spans + [part for part in parts if part.startswith("callrace ")]
