"""Who has a number, and who had it before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ari_app.domain.numbers.inventory import NumberKind, Status

Origin = Literal["file", "desk"]
"""What gave the number: an apply, or a command."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A number, who has it (None: nobody), and its entry in the inventory (None: it has none).

    `available_from` (ms): a number that nobody has is in quarantine until then.
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
        """The number's status at `now` (ms)."""
        if self.campaign is not None:
            return "assigned"
        return "quarantined" if self.available_from is not None and self.available_from > now else "free"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who had a number from `from_at` until before `to_at` (ms); `to_at` is None while the assignment lasts."""

    did: str
    campaign: str
    publisher: str
    source: str | None
    from_at: int
    to_at: int | None
    origin: Origin = "file"
