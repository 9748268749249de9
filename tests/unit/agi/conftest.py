"""A marketplace in force, and who reads what the dialplan has written."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from agi.outcomes import Outcomes
from ari_app.domain.document.reading import parse
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.unit.agi.lines import BEGAN, looking
from tests.unit.agi.test_services import ON_ANSWER


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = migrated(tmp_path / "callrace.db")
    marketplaces.apply(engine, parse(ON_ANSWER, "test.yaml"), BEGAN - 1)
    return engine


@pytest.fixture
def outcomes(engine: Engine, tmp_path: Path) -> Outcomes:
    return looking(engine, tmp_path)
