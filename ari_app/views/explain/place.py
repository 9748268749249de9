"""The caller's assumed place, and how it was found."""

from __future__ import annotations

from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls.record import PlaceRecord


def place_text(place: PlaceRecord, ani: str | None) -> str:
    """The caller's assumed place, and how it was found, as a sentence."""
    state = STATE_NAMES.get(place.state or "", place.state or "an unknown state")
    match place.from_:
        case "zip":
            return f"The caller is taken to be in {state}, because the ZIP code {place.zip} was entered."
        case "ani":
            return (
                f"The caller is taken to be in {state}, because of the area code of {ani or 'the caller'}; "
                "no valid ZIP code was entered."
            )
        case "did":
            return (
                f"The caller is taken to be in {state}, because of the area code of the number called; "
                "neither a ZIP code nor the caller's own number tells more."
            )
        case "unknown":
            return (
                "Where the caller is, is unknown: no valid ZIP code was entered, and neither the caller's "
                "number nor the number called belongs to a state."
            )
