"""What requests say: times, and bodies."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ari_app.desk.checked import invalid
from ari_app.domain.basics.clock import from_iso


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
