"""People, invitations, links, and what parties see: as rows and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.domain.basics.clock import iso
from ari_app.views.words import second

COLUMNS = ("email", "name", "party", "role", "password", "authenticator", "since (UTC)")
SIGHT_COLUMNS = {"party": "party", "topic": "topic", "sight": "sight", "set by": "set_by"}

Membership = tuple[str, str]
"""A party, such as `advertiser:acme`, and somebody's role in it."""


def person_json(
    email: str, name: str, memberships: Sequence[Membership], has_password: bool, has_totp: bool, since: int
) -> dict[str, object]:
    """Somebody who can sign in, since a time (ms)."""
    return {
        "email": email,
        "name": name,
        "memberships": [{"party": party, "role": role} for party, role in memberships],
        "password": has_password,
        "authenticator": has_totp,
        "since": iso(since),
    }


def person_rows(
    email: str, name: str, memberships: Sequence[Membership], has_password: bool, has_totp: bool, since: int
) -> list[tuple[object, ...]]:
    """The same for people: a row for each party."""
    says = tuple("yes" if has else "no" for has in (has_password, has_totp))
    return [(email, name, party, role, *says, second(since)) for party, role in memberships]


def invitation_json(email: str, party: str, role: str, by: str, expires_at: int) -> dict[str, object]:
    """An invitation that nobody has accepted yet."""
    return {"email": email, "party": party, "role": role, "by": by, "expires_at": iso(expires_at)}


def link_json(email: str, link: str, expires_at: int) -> dict[str, object]:
    """A link, which is shown this once: who is to have it, and until when (ms) it is good."""
    return {"email": email, "link": link, "expires_at": iso(expires_at)}


def sight_json(party: str, topic: str, about: str, sight: str, is_exception: bool) -> dict[str, object]:
    """How a party sees a topic, and who says so: the table, or the operator."""
    set_by = "operator" if is_exception else "table"
    return {"party": party, "topic": topic, "about": about, "sight": sight, "set_by": set_by}
