"""The marketplace's own places: area codes that are newer than the tables, and other places for ZIP codes."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.degrees import Latitude, Longitude
from ari_app.domain.basics.fields import AreaCode, StateCode, TimeZone, ZipCode
from ari_app.domain.market.shapes import STRICT


@dataclass(frozen=True, slots=True, config=STRICT)
class ZipOverride:
    """The place of a ZIP code: its state, the point from which circles are measured, and its time zone."""

    state: StateCode
    latitude: Latitude
    longitude: Longitude
    timezone: TimeZone


@dataclass(frozen=True, slots=True, config=STRICT)
class GeographyOverrides:
    """What replaces entries of the geography tables: the state of an area code, the place of a ZIP code."""

    area_codes: Mapping[AreaCode, StateCode] = Field(default_factory=dict)
    zips: Mapping[ZipCode, ZipOverride] = Field(default_factory=dict)
