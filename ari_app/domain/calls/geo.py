"""Where a caller is, and whether a destination covers the place.

The sources, best first: the ZIP code that the caller entered, the caller's number, the number called.
Nothing is guessed. An area code gives a state and a time zone, never a point. A toll-free,
non-geographic, foreign or unlisted number gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import asin, cos, radians, sin, sqrt
from typing import Literal

from ari_app.domain.basics.areacodes import ABROAD, is_of_a_place
from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls.record import PlaceRecord
from ari_app.domain.market.destinations import Coverage
from ari_app.domain.market.geography import GeographyOverrides

ZipRow = tuple[str, float | None, float | None, str | None]
"""State, latitude, longitude and time zone of a ZIP code."""

AreaCodeRow = tuple[str, str | None]
"""State and time zone of an area code; None as time zone where it has several."""

_NANP = re.compile(r"\+1([2-9]\d\d)[2-9]\d{6}", re.ASCII)
_EARTH_RADIUS_MILES = 3_958.8
_NUMBERS: Mapping[str, str] = {"ani": "the caller's number", "did": "the number called"}


@dataclass(frozen=True, slots=True)
class Geography:
    """The tables, built by `ari_app.store.geography`; see `overlaid` for a marketplace's own."""

    zips: Mapping[str, ZipRow] = field(default_factory=dict)
    area_codes: Mapping[str, AreaCodeRow] = field(default_factory=dict)


def overlaid(tables: Geography, overrides: GeographyOverrides) -> Geography:
    """The tables, with the marketplace's own area codes and ZIP codes in place of those in the tables.

    An area code keeps its time zone where the state is the same; else it has none.
    """
    if not overrides.area_codes and not overrides.zips:
        return tables
    known = tables.area_codes
    area_codes = {
        code: known[code] if code in known and known[code][0] == state else (state, None)
        for code, state in overrides.area_codes.items()
    }
    zips = {
        code: (place.state, place.latitude, place.longitude, place.timezone)
        for code, place in overrides.zips.items()
    }
    return Geography({**tables.zips, **zips} if zips else tables.zips, {**known, **area_codes})


@dataclass(frozen=True)
class Place:
    """Where a caller is taken to be, and from what. Only a ZIP code gives a point.

    What is said of it is put into words once: a decision says it of each destination that does not cover it.
    """

    state: str | None = None
    zip: str | None = None
    timezone: str | None = None
    from_: Literal["zip", "ani", "did", "unknown"] = "unknown"
    latitude: float | None = None
    longitude: float | None = None

    def record(self) -> PlaceRecord:
        """What a call record keeps of it."""
        return PlaceRecord(self.state, self.zip, self.timezone, self.from_)

    @cached_property
    def source(self) -> str:
        """What it was taken from, in words: `ZIP 10001`, `the caller's number`."""
        return f"ZIP {self.zip}" if self.from_ == "zip" else _NUMBERS.get(self.from_, "the caller")

    @cached_property
    def told(self) -> str:
        """Where it is, in words: `ZIP 10001 is in New York`."""
        if self.from_ == "unknown":
            return "the caller's place is unknown"
        known_only = "" if self.from_ == "zip" else " (only the state is known)"
        return f"{self.source} is in {STATE_NAMES.get(self.state or '', self.state)}{known_only}"


UNKNOWN = Place()


@dataclass(frozen=True, slots=True)
class Circle:
    """Everywhere within some miles of a ZIP code, in a straight line over the ground."""

    zip: str
    latitude: float
    longitude: float
    miles: float


@dataclass(frozen=True, slots=True)
class Area:
    """A coverage prepared for look-ups: the position of the circle's centre is known. `text` describes the coverage."""

    text: str
    states: frozenset[str] = frozenset()
    zips: frozenset[str] = frozenset()
    area_codes: frozenset[str] = frozenset()
    circle: Circle | None = None
    anywhere: bool = False


def locate(geography: Geography, entered_zip: str | None, ani: str | None, did: str) -> Place:
    """Where a caller is: by the ZIP entered, else the caller's number, else the number called."""
    row = geography.zips.get(entered_zip) if entered_zip else None
    if row is not None:
        state, latitude, longitude, timezone = row
        return Place(state, entered_zip, timezone, "zip", latitude, longitude)
    by_ani = geography.area_codes.get(area_code_of(ani) or "")
    if by_ani is not None:
        return Place(by_ani[0], None, by_ani[1], "ani")
    by_did = geography.area_codes.get(area_code_of(did) or "")
    if by_did is not None:
        return Place(by_did[0], None, by_did[1], "did")
    return UNKNOWN


def area_code_of(number: str | None) -> str | None:
    """The three digits of a North American number in E.164; None for any other."""
    match = _NANP.fullmatch(number) if number else None
    return match[1] if match else None


def unknown_codes(callers: Mapping[str, int], geography: Geography) -> dict[str, int]:
    """Which of the callers' area codes are not in the tables, though they can belong to the USA or Canada.

    `callers` and the result: how many callers each area code has; in the result, the largest number first.
    """
    unknown = {
        code: count
        for code, count in callers.items()
        if code not in geography.area_codes and code not in ABROAD and is_of_a_place(code)
    }
    return dict(sorted(unknown.items(), key=lambda item: (-item[1], item[0])))


def area_of(coverage: Coverage, geography: Geography) -> Area:
    """The coverage prepared for look-ups. Raises ValueError when the position of the circle's ZIP code is not known."""
    return Area(
        text=_describe(coverage),
        states=coverage.states,
        zips=coverage.zips,
        area_codes=coverage.area_codes,
        circle=_circle(coverage, geography),
        anywhere=coverage.anywhere,
    )


def area_covers(area: Area, place: Place, ani: str | None) -> tuple[bool, str]:
    """Whether the caller is inside the area, and the reason in words.

    States, ZIP codes and the radius are compared with the place. Area codes are compared with the caller's own
    number, wherever the caller is.
    """
    if area.anywhere:
        return True, "everywhere is covered"
    if place.state in area.states:
        return True, f"{place.source} is in {place.state}"
    if place.zip is not None and place.zip in area.zips:
        return True, f"ZIP {place.zip} is listed"
    if ani is not None and ani[2:5] in area.area_codes and (code := area_code_of(ani)):
        return True, f"area code {code} is listed"
    if area.circle is None:
        return False, f"{place.told}, not in {area.text}"
    return _in_circle(area, area.circle, place)


def miles_between(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The great-circle distance of two points in degrees, by the haversine formula."""
    phi, other_phi = radians(latitude), radians(other_latitude)
    half_dphi, half_dlambda = (other_phi - phi) / 2, radians(other_longitude - longitude) / 2
    haversine = sin(half_dphi) ** 2 + cos(phi) * cos(other_phi) * sin(half_dlambda) ** 2
    return 2 * _EARTH_RADIUS_MILES * asin(min(1.0, sqrt(haversine)))


def _circle(coverage: Coverage, geography: Geography) -> Circle | None:
    if coverage.zip is None or coverage.radius_miles is None:
        return None
    _, latitude, longitude, _ = geography.zips.get(coverage.zip, (None, None, None, None))
    if latitude is None or longitude is None:
        raise ValueError(f"the position of ZIP {coverage.zip} is not known")
    return Circle(coverage.zip, latitude, longitude, coverage.radius_miles)


def _in_circle(area: Area, circle: Circle, place: Place) -> tuple[bool, str]:
    if place.latitude is None or place.longitude is None:
        return False, f"{place.told}, which is no point to measure from; {area.text} is needed"
    miles = miles_between(circle.latitude, circle.longitude, place.latitude, place.longitude)
    distance = f"ZIP {place.zip} is {miles:.1f} miles from ZIP {circle.zip}"
    if miles <= circle.miles:
        return True, distance
    return False, f"{distance}, not in {area.text}"


def _describe(coverage: Coverage) -> str:
    parts = [", ".join(sorted(coverage.states))] if coverage.states else []
    parts += [_listed("ZIP", coverage.zips)] if coverage.zips else []
    parts += [_listed("area code", coverage.area_codes)] if coverage.area_codes else []
    if coverage.zip is not None and coverage.radius_miles is not None:
        parts.append(f"{coverage.radius_miles:g} miles around ZIP {coverage.zip}")
    return "everywhere" if coverage.anywhere else " or ".join(parts)


def _listed(what: str, codes: frozenset[str]) -> str:
    """Up to three codes are listed; of more only the count is given."""
    if len(codes) <= 3:
        return f"{what} {', '.join(sorted(codes))}"
    return f"one of {len(codes)} {what}s"
