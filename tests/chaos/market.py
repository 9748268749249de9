"""The marketplace of a run: a campaign for each thing that has to hold, all rung at the same three phones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.kit.market import DID, marketplace

CAPPED_DID = "+18005550102"
METERED_DID = "+18005550103"
REPEAT_DID = "+18005550104"
CROWD_DID = "+18005550105"
DESK_DID = "+18005550106"  # not in the document: the desk gives it to one campaign after the other
SPOOLED_DID = "+18005550107"  # nobody calls it: of the calls that are put into the spool

CHARGED_FROM_S = 3.0
METERED_MAX_S = 6
METERED_CENTS_A_SECOND = 10
METERED_ADVERTISER = "metered"
DEPOSIT = "1000.00"
DESK_CAMPAIGNS = ("desk-a", "desk-b")

_EACH_CALL = {"price": "42.00", "payout": "30.00"}
_METERED = {
    "advertiser": METERED_ADVERTISER,
    "price": {"per_minute": "6.00", "increment": "1s"},
    "payout": {"share": "50%"},
}


def document(uris: Mapping[str, str]) -> dict[str, Any]:
    """The document. `uris`: the phones by destination."""
    made = marketplace(
        dict(uris),
        accept="answer",
        qualify=[{"connected_at_least": f"{CHARGED_FROM_S:g}s"}],
        destination={"capacity": 1000, "auto_pause": {"per_hour": 0, "per_day": 0}},
    )
    plumbing, route = made["campaigns"]["plumbing"], made["campaigns"]["plumbing"]["route"]
    first = next(iter(uris))
    made["advertisers"][METERED_ADVERTISER] = {
        "name": "Metered",
        "timezone": "America/New_York",
        "billing": {"model": "prepaid"},
    }
    made["destinations"] |= {
        f"metered-{name}": made["destinations"][name] | {"advertiser": METERED_ADVERTISER} for name in uris
    }
    metered_route = route | {
        "waves": [{"destinations": [f"metered-{name}" for name in uris]}],
        "max_duration": f"{METERED_MAX_S}s",
    }
    made["campaigns"] |= {
        "capped": plumbing | {"caps": [{"max": 1_000_000, "per": "day"}]},
        "metered": plumbing | _METERED | {"route": metered_route},
        "repeat": plumbing | {"qualify": [*plumbing["qualify"], {"no_repeat_within": "1d"}]},
        "crowd": plumbing | {"route": route | {"waves": [{"destinations": [first]}]}},
        "desk-a": plumbing | _EACH_CALL,
        "desk-b": plumbing | {"price": "21.00", "payout": "15.00"},
    }
    owner = made["numbers"][DID]
    made["numbers"] |= {
        CAPPED_DID: owner | {"campaign": "capped"},
        METERED_DID: owner | {"campaign": "metered"},
        REPEAT_DID: owner | {"campaign": "repeat"},
        CROWD_DID: owner | {"campaign": "crowd"},
    }
    made["numbers_policy"] = {"quarantine": "0s"}
    # YAML would make anchors of what is there twice.
    unshared: dict[str, Any] = json.loads(json.dumps(made))
    return unshared


def rates(calls_a_second: int) -> dict[str, int]:
    """How many of the calls go to each number, a second; to each at least one."""
    others = (CAPPED_DID, METERED_DID, REPEAT_DID, DESK_DID)
    each = dict.fromkeys(others, max(calls_a_second // 10, 1))
    return {DID: max(calls_a_second - sum(each.values()), 1), **each}
