"""How many numbers of each kind and state there are, and how many of them are free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ari_app.domain.numbers.inventory import NumberKind, Status


@dataclass(frozen=True, slots=True)
class Shelf:
    """The numbers of one kind; of local numbers, those of one state."""

    kind: NumberKind
    region: str | None
    free: int
    assigned: int
    quarantined: int

    def __str__(self) -> str:
        """`local NY`, or `tollfree`."""
        return f"{self.kind} {self.region}" if self.region else self.kind


def stock_of(numbers: Iterable[tuple[NumberKind | None, str | None, Status]]) -> list[Shelf]:
    """The shelves, in order; numbers without a kind were never in the inventory, and are left out."""
    counts: dict[tuple[NumberKind, str | None], Counter[Status]] = {}
    for kind, region, status in numbers:
        if kind is not None:
            counts.setdefault((kind, region), Counter())[status] += 1
    ordered = sorted(counts.items(), key=lambda shelf: (shelf[0][0], shelf[0][1] or ""))
    return [
        Shelf(kind, region, found["free"], found["assigned"], found["quarantined"])
        for (kind, region), found in ordered
    ]
