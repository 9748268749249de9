"""`FIELD=VALUE`: which field of a document is meant, what it becomes, and what is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from ari_app.domain.document.fieldpath import AssignmentError, assign

_CAMPAIGN: dict[str, Any] = {
    "price": "42.00",
    "hours": {"open": ["mon-fri 08:00-20:00"]},
    "route": {"waves": [{"destinations": ["agent-1"]}]},
}


def _assigned(text: str) -> dict[str, Any]:
    document = deepcopy(_CAMPAIGN)
    assign(document, text)
    return document


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("price=45.00", {"price": "45.00"}),
        ("price=45", {"price": 45}),
        ("flow=intake", {"flow": "intake"}),
        ("hours=", {"hours": None}),
        ("hours=null", {"hours": None}),
        ("screen.announce=tts:No = no.", {"screen": {"announce": "tts:No = no."}}),
        ("route.waves[0].after=12s", {"route": {"waves": [{"destinations": ["agent-1"], "after": "12s"}]}}),
        (
            "route.waves[1]={destinations: [overflow]}",
            {"route": {"waves": [{"destinations": ["agent-1"]}, {"destinations": ["overflow"]}]}},
        ),
        ("route.waves[0]=", {"route": {"waves": []}}),
        ("qualify[0].connected_at_least=90s", {"qualify": [{"connected_at_least": "90s"}]}),
        ("overrides.home-fix.payout=31.00", {"overrides": {"home-fix": {"payout": "31.00"}}}),
    ],
)
def test_the_named_field_gets_the_value_and_no_other_changes(text: str, changed: dict[str, Any]) -> None:
    expected = {name: value for name, value in {**_CAMPAIGN, **changed}.items() if value is not None}
    assert _assigned(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "price",
        "=45.00",
        "a..b=1",
        ".price=1",
        "price.per_minute=1.20",
        "route[0]=x",
        "route.waves[2]={destinations: [x]}",
        "route.waves.after=1s",
        "flow={a: [",
        "flow=*alias",
        "flow=!!python/object:os.system x",
    ],
)
def test_what_names_no_field_or_is_no_plain_yaml_is_refused(text: str) -> None:
    with pytest.raises(AssignmentError):
        _assigned(text)
