"""Which telephone numbers a trunk may dial, and how much it may spend: toll fraud dials expensive numbers.

As in a rate table, the longest prefix decides. A number must match the trunk's `allow`. A number in an expensive or
abused range must match an entry that is at least as long as that range. So `+1*` allows North America but
not Jamaica, which needs `+1876*`.

The cost of a leg out is known when its call is over. So calls under way may exceed a limit of spend; a
trunk's `concurrent` limits by how much.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ari_app.domain.basics.areacodes import ABROAD
from ari_app.domain.basics.money import RATE_UNIT, format_amount
from ari_app.domain.basics.periods import period
from ari_app.domain.market.destinations import Destination
from ari_app.domain.market.marketplace import Marketplace, Trunk

ALLOWED = ("+1*",)
"""What a trunk without `allow` may dial: North America, except the ranges below."""

_EXPENSIVE = {
    "a premium-rate number": re.compile(r"\+1(?:900|\d{3}976)"),
    # The NANP outside the USA, its territories and Canada: dialled like a US number, charged like overseas.
    "a number abroad, in North America's numbering": re.compile(rf"\+1(?:{'|'.join(sorted(ABROAD))})"),
    # ITU-T E.164's codes of no country: satellites, personal and premium-rate numbers.
    "a satellite or premium-rate number": re.compile(r"\+(?:870|878|88[123]|979)"),
}
"""The expensive or abused ranges, and the beginning of their numbers."""


def why_not(trunk: str, rules: Trunk | None, phone: str) -> str | None:
    """Why the trunk may not dial the number (E.164), and which entry would allow it; None: it may."""
    allow = rules.allow if rules is not None and rules.allow is not None else ALLOWED
    matched = max((len(e.rstrip("*")) for e in allow if matches(e, phone)), default=0)
    prefix, what = _expensive_range(phone)
    if matched > 0 and matched >= len(prefix):
        return None
    allowing = f'"{prefix}*"' if prefix else "a prefix of it"
    return f"{phone} is {what} that trunk {trunk} may not dial; put {allowing} into trunks.{trunk}.allow to permit it"


def barred(destinations: Mapping[str, Destination], trunks: Mapping[str, Trunk]) -> dict[str, str]:
    """The destinations whose trunks may not dial them, and why."""
    found = {name: why_not_dial(destination, trunks) for name, destination in destinations.items()}
    return {name: reason for name, reason in found.items() if reason is not None}


def why_not_dial(destination: Destination, trunks: Mapping[str, Trunk]) -> str | None:
    """Why a destination's trunk, or its other trunk, may not dial it; None: they may, or it has no trunk."""
    dial = destination.dial
    if dial.phone is None:
        return None
    for trunk in (dial.trunk, dial.or_trunk):
        reason = None if trunk is None else why_not(trunk, trunks.get(trunk), dial.phone)
        if reason is not None:
            return reason
    return None


_OF_THE_PHONE = frozenset({480, 486, 487, 600})
# Said once it has rung: it rang out, or whoever it belongs to would not take the call.
_OF_THE_PHONE_THAT_RANG = _OF_THE_PHONE | {408, 603}


def why_failed(trunk: str | None, status: int | None, has_rung: bool) -> str | None:
    """How a leg's trunk failed it, in words for its record, given the SIP status (RFC 3261) that it ended with.

    None: the trunk did not, its phone did: busy, declined, not answered. So it is too where no trunk dialled it.
    """
    of_the_phone = _OF_THE_PHONE_THAT_RANG if has_rung else _OF_THE_PHONE
    if trunk is None or status is None or status < 400 or status in of_the_phone:
        return None
    return f"trunk {trunk} answered {status}" if status != 408 else f"trunk {trunk} did not answer (408)"


def is_worth_another(status: int | None) -> bool:
    """Whether another trunk may do better where one failed before the phone rang, given the SIP status.

    It failed by itself (5xx), or was silent (408). A 6xx is everybody's word, a 4xx is about the number or the account.
    """
    return status is not None and (status == 408 or 500 <= status <= 599)


def limited(trunks: Mapping[str, Trunk], now: int) -> dict[str, int]:
    """The trunks that have a limit of spend, and when its current period began, at `now` (ms)."""
    return {name: period(t.spend.per, now, "UTC").start for name, t in trunks.items() if t.spend is not None}


def spent(trunk: Trunk, talked_ms: int) -> int:
    """What legs out cost that talked for this long together (ms), in the minor unit, rounded up."""
    rate: int = trunk.cost_per_minute or 0
    return -(-talked_ms * rate // (60_000 * RATE_UNIT))


def legs_of(trunk: str) -> str:
    """The name under which a trunk's legs are counted that go to no destination, among the ids of destinations."""
    return f"trunk {trunk}"  # ids hold no space


def spent_up(marketplace: Marketplace, talked_ms: Mapping[str, int]) -> dict[str, str]:
    """The trunks that have spent all that they may, and why. `talked_ms`: by trunk, in its period."""
    full = {}
    for name, trunk in marketplace.trunks.items():
        if trunk.spend is not None and spent(trunk, talked_ms.get(name, 0)) >= trunk.spend.max_amount:
            limit = format_amount(trunk.spend.max_amount, marketplace.currency)
            full[name] = f"trunk {name} has spent its {limit} {marketplace.currency} a{_AN[trunk.spend.per]}"
    return full


def overspent(marketplace: Marketplace, talked_ms: Mapping[str, int]) -> dict[str, str]:
    """The destinations whose trunk has spent all that it may, and why. `talked_ms`: by trunk, in its period."""
    full = spent_up(marketplace, talked_ms)
    return {
        name: full[destination.dial.trunk]
        for name, destination in marketplace.destinations.items()
        if destination.dial.trunk in full
    }


_AN = {"hour": "n hour", "day": " day", "week": " week", "month": " month"}


def matches(entry: str, phone: str) -> bool:
    """Whether a number (E.164) is that of an entry, or begins as one that ends in `*` does."""
    return phone.startswith(entry[:-1]) if entry.endswith("*") else phone == entry


def _expensive_range(phone: str) -> tuple[str, str]:
    """The range of the number, and what that range is; an empty range for an ordinary number."""
    for what, ranges in _EXPENSIVE.items():
        if found := ranges.match(phone):
            return found[0], what
    return "", "a number"
