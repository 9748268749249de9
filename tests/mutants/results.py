"""What became of each mutant, as mutmut has noted it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test has failed for: the function, and its lines before and after.

    `is_run`: some test runs the function.
    """

    function: str
    before: str
    after: str
    is_run: bool


@dataclass(frozen=True, slots=True)
class File:
    """A file's mutants: how many were tried, how many were not as the run was broken off, and those that survived."""

    path: str
    tried: int
    untried: int
    survivors: list[Survivor]

    @property
    def killed(self) -> int:
        """How many a test failed for, or did not end with."""
        return self.tried - len(self.survivors)


def read(tree: Path, patterns: Sequence[str] = ()) -> list[File]:
    """The results in a tree that mutmut ran in, by file; those of the patterns alone. Needs mutmut to be importable."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code
    from mutmut.utils.format_utils import orig_function_and_class_names_from_key

    os.chdir(tree)  # mutmut looks for its files and its settings where it is
    files = []
    for meta in sorted(Path("mutants").rglob("*.py.meta")):
        path = str(meta.relative_to("mutants")).removesuffix(".meta")
        codes = json.loads(meta.read_text())["exit_code_by_key"]
        wanted = [
            name for name in codes if not patterns or any(fnmatch(name, pattern) for pattern in patterns)
        ]
        tried = {name: status_by_exit_code[codes[name]] for name in wanted if codes[name] is not None}
        survivors = []
        for name, status in tried.items():
            if status in ("killed", "timeout", "segfault"):
                continue
            function, class_ = orig_function_and_class_names_from_key(name)
            before, after = _lines(get_diff_for_mutant(name, path=path))
            survivors.append(
                Survivor(f"{class_}.{function}" if class_ else function, before, after, status != "no tests")
            )
        if wanted:
            files.append(File(path, len(tried), len(wanted) - len(tried), survivors))
    return files


def _lines(diff: str) -> tuple[str, str]:
    """The lines that a mutant changes, as they were and as they are, each on one line."""
    changed = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = (
        " ".join(line[1:].strip() for line in changed if line.startswith(sign)) for sign in ("-", "+")
    )
    return before, after
