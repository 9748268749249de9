"""Who acts, as it is written down."""

from __future__ import annotations

import pytest

from ari_app.access.actor import CALLRACE, Actor, operator


def test_an_operator_is_written_by_name_and_others_by_kind_too() -> None:
    assert str(operator("ada")) == "ada"
    assert str(Actor("advertiser", "acme")) == "advertiser:acme"
    assert str(CALLRACE) == "program:callrace"


@pytest.mark.parametrize("name", ["", " ", "program:callrace", "two\nlines", "bell\a"])
def test_no_operator_has_a_name_that_nobody_could_read_or_that_would_pass_for_another(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of an operator"):
        operator(name)
