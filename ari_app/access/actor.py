"""The actor: who does something. It is passed to every use case and written to the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["operator", "advertiser", "publisher", "agent", "program"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a program that does something. `name` is unique within its kind."""

    kind: ActorKind
    name: str

    def __str__(self) -> str:
        """The text in the database's columns `by`: for an operator the plain name, for all others `kind:name`."""
        return self.name if self.kind == "operator" else f"{self.kind}:{self.name}"


def operator(name: str) -> Actor:
    """A person who works for the exchange. Raises ValueError for a name that is not printable or has a colon."""
    if not name.strip() or not name.isprintable() or ":" in name:
        raise ValueError(
            f"{name!r} is not the name of an operator: expected one line of text without a colon"
        )
    return Actor("operator", name)


CALLRACE = Actor("program", "callrace")
"""The actor of what Callrace decides by itself."""
