"""A plugin of pytest for `make mutants`: the quickest tests first, as the first that fails is the last that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

_STATS = Path("mutmut-stats.json")  # where mutmut runs the tests
_BY_THE_CLOCK = ("test_a_slow_database_is_not_waited_for", "by_one_survey_and_the_loop_is_not_stopped")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sorts by how long each took without a mutant, where that is known; leaves out what a busy machine fails."""
    items[:] = [item for item in items if not any(name in item.nodeid for name in _BY_THE_CLOCK)]
    if _STATS.exists():
        took_s = json.loads(_STATS.read_text())["duration_by_test"]
        items.sort(key=lambda item: took_s.get(item.nodeid, 0.0))
