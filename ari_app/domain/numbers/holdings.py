"""Whose a number is and was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ari_app.domain.numbers.inventory import NumberKind, Status

Origin = Literal["file", "desk"]
"""What gave the number: an apply, or a command."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A number, whose it is (None: nobody's), and what the inventory says of it (None: not there).

    `available_from`: in ms; a number that nobody has is quarantined until then.
    """

    did: str
    campaign: str | None
    publisher: str | None
    source: str | None
    origin: Origin | None
    kind: NumberKind | None
    region: str | None
    trunk: str | None
    available_from: int | None

    def status(self, now: int) -> Status:
        """What the number is at `now` (ms)."""
        if self.campaign is not None:
            return "assigned"
        return "quarantined" if self.available_from is not None and self.available_from > now else "free"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Whose a number was from `from_at` until before `to_at` (ms); None while it lasts."""

    did: str
    campaign: str
    publisher: str
    source: str | None
    from_at: int
    to_at: int | None
    origin: Origin = "file"
