"""People, the parties that they belong to, and the roles that they have there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ari_app.access.actor import Actor

PartyKind = Literal["operator", "advertiser", "publisher", "agent"]
Role = Literal["owner", "manager", "finance", "read_only", "agent"]

ROLES: Mapping[PartyKind, tuple[Role, ...]] = {
    "operator": ("owner", "manager", "finance", "read_only"),
    "advertiser": ("manager", "read_only"),
    "publisher": ("manager", "read_only"),
    "agent": ("agent",),
}
"""The roles that there are in each kind of party, the one with most rights first."""

FRESH_MS = 10 * 60_000
"""How long somebody who has just proved who they are may do what moves money."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who people belong to. `id` is that of the advertiser, of the publisher, or of the agent's destination.

    The operator is one, without an id.
    """

    kind: PartyKind
    id: str = ""

    def __str__(self) -> str:
        """`operator`, or `advertiser:acme`."""
        return f"{self.kind}:{self.id}" if self.id else self.kind


OPERATOR = Party("operator")


def party_of(text: str) -> Party:
    """The party that is written like this: `operator`, `advertiser:acme`. Raises ValueError."""
    kind, _, id = text.partition(":")
    for known in ROLES:
        if kind == known and bool(id) == (known != "operator"):
            return Party(known, id)
    raise ValueError(
        f"{text!r} is no party: expected operator, advertiser:ID, publisher:ID or agent:DESTINATION"
    )


@dataclass(frozen=True, slots=True)
class Membership:
    """What somebody is in one party."""

    party: Party
    role: Role


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in. `email` is unique, in lower case; times in ms.

    `has_totp`: they give a code at each sign-in. `removed_at`: since when they cannot sign in any more.
    """

    id: int
    email: str
    name: str
    memberships: tuple[Membership, ...]
    has_password: bool = False
    has_totp: bool = False
    created_at: int = 0
    removed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks for something: a person in one of their parties, or a program with a key of one party.

    `name` is a person's address, or a key's name. `scopes` are a key's; None: a person, who may do all that the role
    may. `confirmed_at` (ms): when the person last proved who they are. `seen_by`: the operator's person who looks as
    this party does, and may change nothing. `session`, `person`: which, where there is one. `parties`: all that the
    person belongs to.
    """

    name: str
    party: Party
    role: Role
    scopes: frozenset[str] | None = None
    confirmed_at: int | None = None
    seen_by: str | None = None
    person: int | None = None
    session: int | None = None
    parties: tuple[Membership, ...] = ()

    @property
    def actor(self) -> Actor:
        """The actor of what this viewer does: an operator by name, others by their party, too."""
        if self.seen_by is not None:
            return Actor("operator", self.seen_by)
        if self.scopes is not None:
            return Actor("program", f"{self.party}/{self.name}")
        if self.party.kind == "operator":
            return Actor("operator", self.name)
        return Actor(self.party.kind, f"{self.party.id}/{self.name}")

    def is_fresh(self, now: int) -> bool:
        """Whether the person proved who they are just now. A program's key is all the proof that there is."""
        return self.scopes is not None or (
            self.confirmed_at is not None and now - self.confirmed_at < FRESH_MS
        )

    def owns(
        self, *, advertiser: str | None = None, publisher: str | None = None, destination: str | None = None
    ) -> bool:
        """Whether something with these owners is this party's; all is the operator's."""
        owners = {"advertiser": advertiser, "publisher": publisher, "agent": destination}
        return self.party.kind == "operator" or owners[self.party.kind] == self.party.id

    @property
    def own(self) -> dict[str, str]:
        """By what to select what is this party's: `{"advertiser": "acme"}`; empty for the operator."""
        field = "destination" if self.party.kind == "agent" else self.party.kind
        return {} if self.party.kind == "operator" else {field: self.party.id}
