"""The field types of a point on Earth, in degrees (WGS 84)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def _degrees(most: int) -> BeforeValidator:
    """A validator for degrees from the equator, or from Greenwich, at most so many each way."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not -most <= value <= most:
            raise ValueError(f"expected degrees from -{most} to {most}")
        return float(value)

    return BeforeValidator(check)


Latitude = Annotated[float, _degrees(90)]
"""Degrees north of the equator; south of it, less than 0 (WGS 84)."""

Longitude = Annotated[float, _degrees(180)]
"""Degrees east of Greenwich; west of it, as in all of North America, less than 0 (WGS 84)."""
