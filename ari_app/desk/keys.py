"""Programs' keys: created for one party and one purpose, listed, revoked, and recognised."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from hashlib import sha256

from ari_app.access.actor import Actor
from ari_app.access.deeds import SCOPES
from ari_app.access.parties import ROLES, Party, Viewer, party_of
from ari_app.desk import checked
from ari_app.desk.inforce import in_force
from ari_app.desk.parties import advertiser_of, publisher_of
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.apikeys import ApiKey
from ari_app.domain.basics.audit import Entry
from ari_app.store.db import apikeys

PREFIX = "callrace_"
"""How each key begins, so that one that got into the wrong place is found."""
DAYS, LONGEST_DAYS = 365, 3650
_DAY_MS = 86_400_000
_USE_NOTED_MS = 60_000
_LONGEST = 100


def create(
    site: Site, actor: Actor, *, party: str, purpose: str, scopes: Sequence[str], days: int = DAYS
) -> tuple[ApiKey, str]:
    """A new key of a party (`operator`, `advertiser:acme`), and its secret: told now, and never again.

    The secret is 256 random bits, so a plain hash of it says nothing. Raises Refused.
    """
    whose = _party(site, party)
    if not scopes or not SCOPES.issuperset(scopes):
        raise checked.invalid("scopes", f"expected some of {', '.join(sorted(SCOPES))}")
    if not 1 <= days <= LONGEST_DAYS:
        raise checked.invalid("days", f"expected 1 to {LONGEST_DAYS}, got {days}")
    now, secret = site.now(), PREFIX + secrets.token_urlsafe(32)
    wanted = ApiKey(
        id=0,
        party=str(whose),
        purpose=checked.line(purpose, "purpose"),
        scopes=tuple(sorted(set(scopes))),
        created_at=now,
        created_by=str(actor),
        expires_at=now + days * _DAY_MS,
    )
    facts = {"party": wanted.party, "purpose": purpose, "scopes": list(wanted.scopes)}
    entry = Entry(now, str(actor), "keys.create", "", facts)
    return apikeys.add(site.engine, wanted, _hash(secret), entry), secret


def listed(site: Site, party: str | None = None) -> list[ApiKey]:
    """The keys, the oldest first, revoked and expired ones too; only one party's where it is given."""
    return [key for key in apikeys.every(site.engine) if party in (None, key.party)]


def revoke(site: Site, actor: Actor, id: int) -> None:
    """Ends a key at once. Raises Refused for one that is not there, or has ended."""
    now = site.now()
    entry = Entry(now, str(actor), "keys.revoke", str(id))
    if not 1 <= id <= checked.MOST_SERIAL or not apikeys.revoke(site.engine, id, now, entry):
        raise Refused(Code.UNKNOWN, what="key", name=id)


def viewer_of(site: Site, secret: str) -> Viewer | None:
    """Who asks with this secret; None: no key has it, or its key was revoked or is over. Notes that it was used."""
    if not secret.startswith(PREFIX) or len(secret) > _LONGEST:
        return None
    key, now = apikeys.find(site.engine, _hash(secret)), site.now()
    if key is None or key.revoked_at is not None or key.expires_at <= now:
        return None
    if key.last_used_at is None or key.last_used_at <= now - _USE_NOTED_MS:
        apikeys.used(site.engine, key.id, now, _USE_NOTED_MS)
    party = party_of(key.party)
    return Viewer(f"key {key.id}", party, ROLES[party.kind][0], scopes=frozenset(key.scopes))


def _party(site: Site, text: str) -> Party:
    """A party that is there. Raises Refused."""
    try:
        party = party_of(text)
    except ValueError as error:
        raise checked.invalid("party", str(error)) from error
    match party.kind:
        case "advertiser":
            advertiser_of(site, in_force(site.engine).marketplace, party.id)
        case "publisher":
            publisher_of(site, in_force(site.engine).marketplace, party.id)
        case "agent":
            if party.id not in in_force(site.engine).marketplace.destinations:
                raise Refused(Code.UNKNOWN, what="destination", name=party.id)
    return party


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
