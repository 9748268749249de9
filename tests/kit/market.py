"""A marketplace of one campaign, as a document, for tests to add to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DID = "+18005550101"


def marketplace(
    agents: Mapping[str, str | dict[str, str]],
    *,
    waves: list[dict[str, Any]] | None = None,
    flow: dict[str, Any] | None = None,
    qualify: list[dict[str, Any]] | None = None,
    destination: Mapping[str, Any] | None = None,
    campaign: Mapping[str, Any] | None = None,
    **route: Any,
) -> dict[str, Any]:
    """A marketplace document of one campaign: `agents` are SIP URIs, or how to dial, by destination id.

    `route` adds to the campaign's route, `destination` to every destination, `campaign` to the campaign.
    """
    rules = {"waves": waves or [{"destinations": list(agents)}], "wait": "ringback", **route}
    document: dict[str, Any] = {
        "currency": "USD",
        "advertisers": {"acme": {"name": "Acme", "timezone": "America/New_York"}},
        "publishers": {"homefix": {"name": "HomeFix"}},
        "destinations": {
            name: {
                "advertiser": "acme",
                "dial": dial if isinstance(dial, dict) else {"uri": dial},
                "covers": {"anywhere": True},
                **(destination or {}),
            }
            for name, dial in agents.items()
        },
        "campaigns": {
            "plumbing": {
                "advertiser": "acme",
                "price": "42.00",
                "payout": "30.00",
                "route": rules,
                "qualify": qualify or [],
                **({"flow": "intake"} if flow else {}),
                **(campaign or {}),
            }
        },
        "numbers": {DID: {"campaign": "plumbing", "publisher": "homefix", "source": "banner"}},
    }
    if flow:
        document["flows"] = {"intake": flow}
    return document
