"""A database, and no waiting for what nobody tells of."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.kit.database import migrated


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return migrated(tmp_path / "callrace.db")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that nobody knows is not given a second to be told of."""
    monkeypatch.setattr("ari_app.switch.recovery.NEW_CALLS_S", 0.02)
