"""Whom a campaign's `transfer` names is somebody whom it could reach."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.document.reading import parse
from tests.kit.market import DID, marketplace


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ({"numbers": ["+16465550123"]}, "expected a trunk to dial the numbers by"),
        ({"trunk": "main"}, "a trunk is only for numbers"),
        ({"destinations": ["zed"]}, "zed"),
        ({"numbers": ["+442071234567"], "trunk": "main"}, "may not dial"),
        ({"numbers": [DID], "trunk": "main"}, "is a tracking number"),
    ],
)
def test_a_transfer_that_could_reach_nobody_is_refused(rules: dict[str, Any], complaint: str) -> None:
    document = marketplace({"ann": "sip:ann@127.0.0.1:5999"}, campaign={"transfer": rules})
    with pytest.raises(DocumentError, match=complaint.replace("+", r"\+")):
        parse(yaml.safe_dump(document, sort_keys=False), "test.yaml")


def test_a_destination_of_another_advertiser_is_refused() -> None:
    document = marketplace(
        {"ann": "sip:ann@127.0.0.1:5999"}, campaign={"transfer": {"destinations": ["bob"]}}
    )
    document["advertisers"]["other"] = {"name": "Other"}
    document["destinations"]["bob"] = deepcopy(document["destinations"]["ann"]) | {"advertiser": "other"}
    with pytest.raises(DocumentError, match="belongs to other"):
        parse(yaml.safe_dump(document, sort_keys=False), "test.yaml")
