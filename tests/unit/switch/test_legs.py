"""How a destination is dialled, and what is said of one that could not be."""

from __future__ import annotations

import pytest

from ari_app.domain.market.destinations import Dial
from ari_app.serving.dialstrings import endpoint


@pytest.mark.parametrize(
    ("dial", "dialled"),
    [
        (Dial(uri="sip:ann@192.0.2.1:5060"), "PJSIP/agents/sip:ann@192.0.2.1:5060"),
        (Dial(extension="ann"), "PJSIP/ann"),
        (Dial(phone="+12125550100", trunk="carrier"), "PJSIP/+12125550100@carrier"),
    ],
)
def test_a_destination_is_dialled_by_its_address_its_extension_or_a_trunk(dial: Dial, dialled: str) -> None:
    assert endpoint(dial) == dialled
