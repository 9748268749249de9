"""Destinations: who can take a call, where the phone is, and which callers it is for."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Annotated

from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import (
    E164,
    AreaCode,
    Id,
    Miles,
    OneOf,
    SipUri,
    StateCode,
    ZipCode,
    whole_between,
)
from ari_app.domain.basics.hours import Hours
from ari_app.domain.market.parties import Caps
from ari_app.domain.market.shapes import STRICT, AttestationAsked, Told


@dataclass(frozen=True, slots=True, config=STRICT)
class Dial:
    """How to reach a destination: exactly one of a SIP URI, a registered phone, a PSTN number.

    `or_trunk` dials the number where `trunk` fails before the phone rings; see `ari_app.domain.market.trunks`.
    """

    uri: SipUri | None = None
    extension: Id | None = None
    phone: E164 | None = None
    trunk: Id | None = None
    or_trunk: Id | None = None


def leads_back(dial: Dial, numbers: Container[str]) -> tuple[str, str] | None:
    """The field that dials a tracking number, as which a call would come in again, and that number; or None."""
    if dial.phone is not None and dial.phone in numbers:
        return "phone", dial.phone
    user = re.match(r"sips?:([+0-9]+)[;@]", dial.uri or "")
    number = _e164(user[1]) if user is not None else ""
    return ("uri", number) if number in numbers else None


def _e164(user: str) -> str:
    """A SIP address's user as the dialplan would read it, were it called here."""
    if len(user) == 10:
        return f"+1{user}"
    return f"+{user}" if len(user) == 11 and user[0] == "1" else user


@dataclass(frozen=True, slots=True, config=STRICT)
class Coverage:
    """Where callers may be: in any of the given states, ZIP codes or area codes, or in a circle around a ZIP code.

    `anywhere: true` covers every caller, also one whose place is unknown.
    """

    states: OneOf[StateCode] = frozenset()
    zips: OneOf[ZipCode] = frozenset()
    area_codes: OneOf[AreaCode] = frozenset()
    zip: ZipCode | None = None
    radius_miles: Miles | None = None
    anywhere: bool = False


@dataclass(frozen=True, slots=True, config=STRICT)
class AutoPause:
    """How many unanswered calls within an hour, or a day, pause a destination; 0: never."""

    per_hour: Annotated[int, whole_between(0, 1_000)] = 3
    per_day: Annotated[int, whole_between(0, 1_000)] = 5


@dataclass(frozen=True, slots=True, config=STRICT)
class Destination:
    """An agent's phone or a buyer's location that can take a call.

    `attestation`: the STIR/SHAKEN levels of callers that it takes; empty: all. `headers`: what it is told of a call in
    SIP headers; None: as the campaign's route says.
    """

    advertiser: Id
    dial: Dial
    covers: Coverage
    hours: Hours | None = None
    capacity: Annotated[int, whole_between(1, 1_000)] = 1
    priority: Annotated[int, whole_between(1, 1_000)] = 1
    weight: Annotated[int, whole_between(1, 1_000)] = 1
    auto_pause: AutoPause = AutoPause()
    attestation: OneOf[AttestationAsked] = frozenset()
    caps: Caps = ()
    headers: OneOf[Told] | None = None
