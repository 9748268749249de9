"""What a marketplace itself says of places: area codes newer than the tables, and a county's own view."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import AreaCode, Latitude, Longitude, StateCode, TimeZone, ZipCode
from ari_app.domain.market.shapes import STRICT


@dataclass(frozen=True, slots=True, config=STRICT)
class ZipOverride:
    """Where a ZIP code is: its state, the point that circles are measured from, and its time zone."""

    state: StateCode
    latitude: Latitude
    longitude: Longitude
    timezone: TimeZone


@dataclass(frozen=True, slots=True, config=STRICT)
class GeographyOverrides:
    """What is laid over the geography tables: the state of an area code, the place of a ZIP code."""

    area_codes: Mapping[AreaCode, StateCode] = Field(default_factory=dict)
    zips: Mapping[ZipCode, ZipOverride] = Field(default_factory=dict)
