"""A call's clock, while somebody sets the system's."""

from __future__ import annotations

import time

import pytest

from ari_app.serving.clock import CallClock


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_stepped_system_clock_changes_no_duration_of_a_call_under_way(
    monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    clock = CallClock()
    began = clock.now()
    set_to = time.time() + step_s
    monkeypatch.setattr(time, "time", lambda: set_to)
    assert 0 <= clock.now() - began < 1_000
    assert abs(CallClock().now() - set_to * 1000) < 1_000  # the next call has the time that was set
