"""`python -m tests.audit`: every pinned dependency, looked up in the public advisories by pip-audit.

Exit code 0: none of them has a known vulnerability. 1: one has, or could not be looked up though others could.
3: no advisory service answers here, so nothing is known.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[1]
COMMAND = (
    *(sys.executable, "-m", "pip_audit", "--requirement", str(REPO / "requirements.lock")),
    *("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"),
)
TIMEOUT_S = 300
FOUND, UNKNOWN = 1, 3


def main() -> int:
    """Tells what is found, a line each."""
    try:
        ended = subprocess.run(COMMAND, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        print(f"audit: NOT audited: no advisory service answered within {TIMEOUT_S} s")
        return UNKNOWN
    try:
        dependencies = json.loads(ended.stdout)["dependencies"]
    except ValueError:
        reason = ended.stderr.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        print(f"audit: NOT audited: {reason[0][:200]}")
        return UNKNOWN
    code, lines = verdict(dependencies)
    print("\n".join(f"audit: {line}" for line in lines))
    return code


def verdict(dependencies: Sequence[dict[str, Any]]) -> tuple[int, list[str]]:
    """The exit code, and what to say, of pip-audit's dependencies."""
    vulnerable = [one for one in dependencies if one.get("vulns")]
    skipped = [one for one in dependencies if "skip_reason" in one]
    if dependencies and len(skipped) == len(dependencies):
        return UNKNOWN, [f"NOT audited: {len(skipped)} packages, of which no advisory service here knows any"]
    lines = [
        f"{one['name']} {one['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'nothing yet'}"
        for one in vulnerable
        for found in one["vulns"]
    ]
    lines += [f"{one['name']}: not looked up: {one['skip_reason']}" for one in skipped]
    if lines:
        return FOUND, lines
    return 0, [f"{len(dependencies)} packages have no known vulnerability"]


if __name__ == "__main__":
    sys.exit(main())
