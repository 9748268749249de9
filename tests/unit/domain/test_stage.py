"""What follows from where a call is in its life."""

from __future__ import annotations

import pytest

from ari_app.domain.calls.stage import ROWS, Stage


def test_every_stage_has_its_row() -> None:
    assert ROWS.keys() == set(Stage)


@pytest.mark.parametrize(
    ("stage", "left_as"),
    [
        (Stage.ARRIVING, "abandoned_ivr"),
        (Stage.IVR, "abandoned_ivr"),
        (Stage.WAITING, "abandoned_queue"),
        (Stage.BRIDGING, "abandoned_queue"),
        (Stage.TALKING, "connected"),
        (Stage.ENDING, None),
    ],
)
def test_who_leaves_is_recorded_by_the_stage_that_they_leave_in(stage: Stage, left_as: str | None) -> None:
    assert ROWS[stage].left_as == left_as
