"""Who acts: passed to every use case, and written where it is kept who did a thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["operator", "advertiser", "publisher", "agent", "program"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone, or a program, who does something. The name is what they are known by among their kind."""

    kind: ActorKind
    name: str

    def __str__(self) -> str:
        """What the columns `by` hold: an operator's name as it is, of all others `kind:name`."""
        return self.name if self.kind == "operator" else f"{self.kind}:{self.name}"


def operator(name: str) -> Actor:
    """Somebody of the exchange itself. Raises ValueError for a name that nobody could read, or that has a colon."""
    if not name.strip() or not name.isprintable() or ":" in name:
        raise ValueError(
            f"{name!r} is not the name of an operator: expected one line of text without a colon"
        )
    return Actor("operator", name)


CALLRACE = Actor("program", "callrace")
"""What Callrace decides by itself."""
