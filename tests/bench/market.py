"""Large marketplaces: destinations and campaigns of several shapes, with coverage as buyers write it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

STATES = ("NY", "NJ", "CA", "TX", "FL", "IL", "PA", "OH", "GA", "NC", "MI", "WA", "AZ", "MA", "CO")
AREA_CODES = (
    "212",
    "201",
    "310",
    "713",
    "305",
    "312",
    "215",
    "614",
    "404",
    "704",
    "313",
    "206",
    "602",
    "617",
    "303",
)
ZIPS = ("10001", "07102", "90012", "77002", "33130", "60601", "19103", "43215", "30303", "28202")
ADVERTISERS = 50
PUBLISHERS = 100
NUMBERS = 50_000


@dataclass(frozen=True, slots=True)
class Shape:
    """So many campaigns of so many destinations each, in two waves."""

    campaigns: int
    destinations_each: int


SHAPES = (Shape(500, 20), Shape(100, 100))


def document(shape: Shape) -> dict[str, Any]:
    """A marketplace of this shape with NUMBERS tracking numbers; the same one every time."""
    random = Random(1)
    campaigns = {f"campaign-{n}": _campaign(n, shape) for n in range(shape.campaigns)}
    return {
        "currency": "USD",
        "advertisers": {
            f"advertiser-{n}": {"name": f"Advertiser {n}", "timezone": "America/New_York"}
            for n in range(ADVERTISERS)
        },
        "publishers": {f"publisher-{n}": {"name": f"Publisher {n}"} for n in range(PUBLISHERS)},
        "destinations": {
            f"agent-{n}": _destination(n, n // shape.destinations_each, random)
            for n in range(shape.campaigns * shape.destinations_each)
        },
        "campaigns": campaigns,
        "numbers": {
            number(n): {
                "campaign": f"campaign-{n % shape.campaigns}",
                "publisher": f"publisher-{n % PUBLISHERS}",
                "source": f"banner-{n % 7}",
            }
            for n in range(NUMBERS)
        },
    }


def number(n: int) -> str:
    """The n-th tracking number: toll-free."""
    return f"+1800{2_000_000 + n}"


def caller(n: int) -> str:
    """The number of the n-th caller, who may be in any of the states."""
    return f"+1{AREA_CODES[n % len(AREA_CODES)]}{2_000_000 + n}"


def _campaign(n: int, shape: Shape) -> dict[str, Any]:
    first = n * shape.destinations_each
    names = [f"agent-{first + i}" for i in range(shape.destinations_each)]
    half = len(names) // 2
    return {
        "advertiser": f"advertiser-{n % ADVERTISERS}",
        "price": "42.00",
        "payout": "30.00",
        "hours": {"timezone": "America/New_York", "open": ["mon-sun 00:00-24:00"]},
        "screen": {"block": ["+1900*", "+12125550100"]},
        "route": {
            "accept": "press-1",
            "waves": [{"destinations": names[:half]}, {"destinations": names[half:], "after": "12s"}],
        },
        "qualify": [
            {"connected_at_least": "90s"},
            {"caller_in": {"states": list(STATES)}},
            {"no_repeat_within": "30d"},
        ],
    }


def _destination(n: int, campaign: int, random: Random) -> dict[str, Any]:
    return {
        "advertiser": f"advertiser-{campaign % ADVERTISERS}",
        "dial": {"uri": f"sip:agent-{n}@127.0.0.1:5071"},
        "covers": _coverage(random),
        "hours": {"timezone": "America/New_York", "open": ["mon-fri 08:00-20:00", "sat 09:00-17:00"]},
        "capacity": random.randint(1, 5),
        "priority": random.randint(1, 3),
        "weight": random.randint(1, 10),
    }


def _coverage(random: Random) -> dict[str, Any]:
    """Half cover some states, others area codes and a radius, a few everywhere."""
    kind = random.random()
    if kind < 0.5:
        return {"states": random.sample(STATES, random.randint(1, 8))}
    if kind < 0.7:
        return {"area_codes": random.sample(AREA_CODES, random.randint(1, 8))}
    if kind < 0.9:
        return {"zip": random.choice(ZIPS), "radius_miles": random.choice((25, 50, 100))}
    return {"anywhere": True}
