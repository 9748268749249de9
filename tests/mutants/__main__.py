"""`python -m tests.mutants [PATTERN ...]`: changes the call's path and its money, one place at a time, and runs tests.

A change that no test fails for has survived: a test is missing, or the code is not needed. Exit code 1 when fewer than
85 % are killed. What is mutated, and by which tests: [tool.mutmut] in pyproject.toml. All are tried in a new copy of
the tree, var/mutants, and MUTANTS.md is written. With a pattern ('ari_app.domain.routing.race*'; '*7' is a tenth of
all) those alone are tried, again and in the copy that is there, and printed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ari_app.settings import REPOSITORY
from tests.mutants import report
from tests.mutants.results import read

LEAST = 0.85
TREE = REPOSITORY / "var" / "mutants"
TOOL = REPOSITORY / "var" / "mutmut"  # where `make mutants` puts it
WRITTEN = REPOSITORY / "tests" / "bench" / "MUTANTS.md"


def main() -> int:
    """0 when enough are killed; 1 when not, or when the tests fail without a mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="mutants, as mutmut names them")
    patterns = parser.parse_args().patterns
    if not patterns:
        shutil.rmtree(TREE, ignore_errors=True)
    copy_tree()
    environment = os.environ | {"PYTHONPATH": str(TOOL), "CALLRACE_HYPOTHESIS": "mutants"}
    command = (sys.executable, TOOL / "bin" / "mutmut", "run", *patterns)
    if subprocess.run(command, cwd=TREE, env=environment).returncode:
        return 1
    sys.path.append(str(TOOL))
    files = read(TREE, patterns)
    print(report.figures(files))
    if patterns:
        print(report.survivors(files))
    else:
        WRITTEN.write_text(report.whole(files, commit()))
        print(f"\nthe survivors are in {WRITTEN.relative_to(REPOSITORY)}")
    return int(report.share(files) < LEAST)


def copy_tree() -> None:
    """Brings the copy up to date with what git knows, or would.

    A file that is the same keeps its age: mutmut goes by it.
    """
    shutil.rmtree(TREE / "tests", ignore_errors=True)
    shutil.rmtree(TREE / "mutants" / "tests", ignore_errors=True)
    for name in _git("ls-files", "-co", "--exclude-standard", "-z").split("\0"):
        source, target = REPOSITORY / name, TREE / name
        if not source.is_file() or (target.exists() and target.read_bytes() == source.read_bytes()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def commit() -> str:
    """The commit that is tried, and whether the tree has more than it."""
    changed = " and what is not committed yet" if _git("status", "--porcelain") else ""
    return _git("rev-parse", "--short", "HEAD").strip() + changed


def _git(*words: str) -> str:
    return subprocess.run(
        ("git", *words), cwd=Path(REPOSITORY), check=True, capture_output=True, text=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
