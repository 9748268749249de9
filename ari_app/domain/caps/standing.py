"""How a cap stands: what is used and reserved of it in its period, and what is left."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.domain.basics.periods import Period
from ari_app.domain.caps.counters import Owner, limit
from ari_app.domain.market.parties import Cap


@dataclass(frozen=True, slots=True)
class Standing:
    """A cap in its current period. `used` and `reserved` are calls, or the minor unit of the cap's currency."""

    owner: Owner
    cap: Cap
    period: Period
    used: int
    reserved: int

    @property
    def left(self) -> int:
        """How much room is left."""
        return max(limit(self.cap) - self.used - self.reserved, 0)
