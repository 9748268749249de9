"""What a duration did not reach, no output says."""

import pytest

from ari_app.views.words import duration, tenths


@pytest.mark.parametrize(
    ("duration_ms", "text"), [(89_960, "89.9"), (90_000, "90.0"), (89_999, "89.9"), (49, "0.0")]
)
def test_tenths_are_those_that_were_reached(duration_ms: int, text: str) -> None:
    assert tenths(duration_ms) == text
    assert duration(duration_ms) == f"{text} s".replace(".0 s", " s")
