"""MUTANTS.md: how many mutants were killed, and why those survived that did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from tests.mutants.reasons import NONE_YET, reason
from tests.mutants.results import File, Survivor

_HEAD = """# Mutants

Written by `make mutants` on {now:%Y-%m-%d %H:%M} UTC, of commit {commit}; do not edit.

mutmut changes one place at a time: an operator, a number, a word, an argument left out. A mutant is killed when one of
the quick tests (`tests/unit`, `tests/property`, `tests/behaviour`; no Asterisk, no PostgreSQL) fails or never ends with
it. The lines of the log are not mutated: nobody is promised their wording.
"""


def whole(files: Sequence[File], commit: str) -> str:
    """The whole report, in Markdown."""
    head = _HEAD.format(now=datetime.now(UTC), commit=commit)
    if any(file.untried for file in files):
        tried, untried = sum(file.tried for file in files), sum(file.untried for file in files)
        head += f"\nA sample: {tried} of {tried + untried} mutants were tried.\n"
    return f"{head}\n{figures(files)}\n\n# Survivors\n\n{survivors(files)}\n"


def share(files: Sequence[File]) -> float:
    """The share of the mutants that were killed, of those that were tried."""
    tried = sum(file.tried for file in files)
    return sum(file.killed for file in files) / tried if tried else 0.0


def figures(files: Sequence[File]) -> str:
    """The table of killed and survived, by file."""
    every = [one for file in files for one in file.survivors]
    whole = File("all", sum(file.tried for file in files), sum(file.untried for file in files), every)
    lines = [
        "| file | tried | killed | survived | run by no quick test | killed % | not tried |",
        "|---" + 6 * "|---:" + "|",
    ]
    for file in [*files, whole]:
        unrun = sum(not one.is_run for one in file.survivors)
        cells = (
            file.path,
            file.tried,
            file.killed,
            len(file.survivors) - unrun,
            unrun,
            f"{100 * share([file]):.1f}",
        )
        lines.append("| " + " | ".join(map(str, (*cells, file.untried))) + " |")
    return "\n".join(lines)


def survivors(files: Sequence[File]) -> str:
    """The survivors, by the reason that they survived for and by file; those without a reason come first."""
    found = [(reason(file.path, one), file.path, one) for file in files for one in file.survivors]
    found.sort(key=lambda one: (one[0] != NONE_YET, one[0], one[1], one[2].function))
    parts = []
    for why, ones in groupby(found, key=lambda one: one[0]):
        lines = [_line(path, one) for _, path, one in ones]
        parts.append(f"## {why} ({len(lines)})\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def _line(path: str, one: Survivor) -> str:
    where = path.removeprefix("ari_app/").removesuffix(".py")
    before, after = (f"`` {text} ``" if text else "nothing" for text in (one.before, one.after))
    return f"- {where} `{one.function}`: {before} → {after}"
