"""Whatever comes from outside is taken or refused, and breaks nothing. `make fuzz` tries for longer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_bad_input_breaks_nothing(name: str, data: Any) -> None:
    TARGETS[name].check(data.draw(TARGETS[name].inputs))
