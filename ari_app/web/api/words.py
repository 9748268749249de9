"""What requests say: times, and bodies."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict

from ari_app.desk.checked import MOST_SERIAL, invalid
from ari_app.domain.basics.clock import from_iso

Serial = Annotated[int, Path(ge=1, le=MOST_SERIAL)]
"""A number in an address that counts things: of a dispute, a bill, an application."""


class Body(BaseModel):
    """A body in JSON; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


def moment(text: str | None, field: str) -> int | None:
    """A time with its offset, such as 2026-11-23T10:00:00-05:00, in ms. Raises Refused."""
    try:
        # A plus sign that is not escaped comes as a space.
        return None if text is None else from_iso(text.replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        raise invalid(field, f"{text!r:.60} is not a time such as 2026-11-23T10:00:00-05:00") from error
