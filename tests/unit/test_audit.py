"""The audit of dependencies: what pip-audit found, and what it could not look up, is never taken for nothing."""

from __future__ import annotations

from tests.audit import FOUND, UNKNOWN, verdict

CLEAN = {"name": "click", "version": "8.1", "vulns": []}
BAD = {"name": "pillow", "version": "9.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["9.1"]}]}
SKIPPED = {"name": "nh3", "skip_reason": "Dependency not found"}


def test_no_known_vulnerability_is_told() -> None:
    assert verdict([CLEAN, CLEAN]) == (0, ["2 packages have no known vulnerability"])


def test_a_vulnerability_is_named_with_where_it_is_mended() -> None:
    assert verdict([CLEAN, BAD]) == (FOUND, ["pillow 9.0: PYSEC-1, mended in 9.1"])


def test_a_package_that_alone_could_not_be_looked_up_is_a_finding() -> None:
    assert verdict([CLEAN, SKIPPED]) == (FOUND, ["nh3: not looked up: Dependency not found"])


def test_where_none_could_be_looked_up_nothing_is_known() -> None:
    code, [line] = verdict([SKIPPED, SKIPPED])
    assert (code, line.startswith("NOT audited")) == (UNKNOWN, True)
