"""People: invited to a party, listed, removed; and links to sign in by once."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ari_app.access import codes, passwords
from ari_app.access.actor import Actor
from ari_app.access.parties import ROLES, Membership, Party, Person
from ari_app.desk import checked
from ari_app.desk.checked import invalid
from ari_app.desk.inforce import in_force
from ari_app.desk.parties import advertiser_of, publisher_of
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import (
    Client,
    SignedIn,
    begin,
    braked,
    membership,
    party_named,
    require_password,
)
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import retried, writing
from ari_app.store.people import links, people
from ari_app.store.people.links import Link
from ari_app.store.people.people import PersonRow

INVITED_MS = 7 * 86_400_000
LINK_MS = 15 * 60_000
LONGEST_ADDRESS = 254
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\\\"/]+@[^\s@,;:<>()\[\]\\\"/]+")


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody is asked to join a party. `by` is who asked; `has_account`: they have a password here already."""

    email: str
    to: Membership
    by: str
    created_at: int
    expires_at: int
    has_account: bool = False


@dataclass(frozen=True, slots=True)
class Handed:
    """A link's token: shown once, and good once, until `expires_at` (ms)."""

    token: str
    email: str
    expires_at: int


def listed(site: Site, party: Party | None = None) -> list[Person]:
    """The people of one party, or of all, by address; without those who were removed. Raises StoreError."""
    rows = people.all_of(site.engine, None if party is None else str(party))
    return [person_from(row) for row in rows if row.removed_at is None]


def invited(site: Site, party: Party | None = None) -> list[Invitation]:
    """The invitations that can still be accepted. Raises StoreError."""
    found = links.open_of(site.engine, None if party is None else str(party), site.now())
    return [_invitation(link) for link in found]


def invite(site: Site, actor: Actor, email: str, party: str, role: str) -> Handed:
    """Invites somebody to a party. An earlier invitation of theirs to it is good no more.

    Raises Refused, also for somebody who is in it already; StoreError.
    """
    address, to = _address(email), _checked(site, party, role)
    row = people.by_email(site.engine, address)
    if row is not None and party in row.memberships:
        raise Refused(Code.IS_MEMBER, name=address, party=party, role=row.memberships[party])
    facts = {"party": party, "role": role}
    return _handed(site, actor, "invitation", address, to, INVITED_MS, "people.invite", **facts)


def invitation(site: Site, token: str) -> Invitation:
    """What a link invites to. Raises Refused when it is over; StoreError."""
    link = _open(site, token)
    row = people.by_email(site.engine, link.email)
    return _invitation(link, has_account=row is not None and row.password_hash is not None)


def accept(site: Site, token: str, client: Client, *, password: str, name: str = "") -> SignedIn:
    """Accepts an invitation, and begins a session in its party.

    Who has a password here gives it; all others choose one, and say their name. It does not matter who else is signed
    in in this browser. Raises Refused, StoreError.
    """
    now, link = site.now(), _open(site, token)
    row = people.by_email(site.engine, link.email)
    hash_ = None
    if row is not None and row.password_hash is not None:
        with braked(site, "password", link.email, client):
            require_password(row, password)
        name = row.name
    else:
        name = checked.line(name or link.email, "name")
        require_good(password, name, link.email)
        hash_ = passwords.hashed(password)
    party, role = link.party or "", link.role or ""
    entry = Entry(now, link.email, "people.accept", link.email, {"party": party, "role": role})
    with writing(site.engine) as connection:
        if not links.use(connection, codes.hash_of(token), now):
            raise Refused(Code.LINK_OVER)
        joined = people.join(connection, link.email, name, party, role, now)
        if hash_ is not None:
            people.set_password_in(connection, joined.id, hash_)
        auditlog.note(connection, entry)
    return begin(site, joined, client, how="invitation", party=party)


@retried
def add(site: Site, actor: Actor, email: str, name: str, party: str, role: str) -> Person:
    """Makes somebody a member at once, without a password: they sign in by a link. Raises Refused, StoreError."""
    address, of = _address(email), _checked(site, party, role)
    named = checked.line(name, "name")
    entry = Entry(site.now(), str(actor), "people.add", address, {"party": party, "role": role})
    with writing(site.engine) as connection:
        there = people.by_email_in(connection, address)
        if there is not None and there.memberships.get(party, role) != role:
            raise Refused(Code.IS_MEMBER, name=address, party=party, role=there.memberships[party])
        row = people.join(connection, address, named, str(of.party), of.role, entry.at)
        auditlog.note(connection, entry)
    return person_from(row)


def remove(site: Site, actor: Actor, email: str, party: str) -> None:
    """Takes somebody out of a party; their sessions end. The exchange keeps an owner. Raises Refused, StoreError.

    An invitation to it that they have not accepted yet is good no more.
    """
    address, of = _address(email), party_named(party)
    entry = Entry(site.now(), str(actor), "people.remove", address, {"party": party})
    row = people.by_email(site.engine, address)
    if links.withdraw(site.engine, address, str(of), entry) and (row is None or party not in row.memberships):
        return
    if row is None or party not in row.memberships:
        raise Refused(Code.NO_MEMBER, name=address, party=party)
    needed = "owner" if row.memberships[party] == "owner" else None
    if not people.leave(site.engine, row.id, str(of), needed, entry):
        raise Refused(Code.LAST_OWNER, name=address)


def sign_in_link(site: Site, actor: Actor, email: str, *, drop_authenticator: bool = False) -> Handed:
    """A link by which somebody signs in once, without a password. It is as good as one: hand it to nobody else.

    `drop_authenticator`: for who has lost it; no code is asked for any more, and their sessions end. Raises Refused,
    StoreError.
    """
    address = _address(email)
    row = people.by_email(site.engine, address)
    if row is None or row.removed_at is not None:
        raise Refused(Code.NOBODY, name=address)
    if drop_authenticator:
        entry = Entry(site.now(), str(actor), "people.drop_authenticator", address)
        people.change(site.engine, row.id, entry, recovery=[], totp_secret=None, totp_step=None)
    return _handed(site, actor, "sign_in", address, None, LINK_MS, "people.sign_in_link")


def require_good(password: str, *known: str) -> None:
    """Raises Refused when a new password is not good enough."""
    why = passwords.complaint(password, *known)
    if why is not None:
        raise invalid("password", why)


def _handed(
    site: Site,
    actor: Actor,
    kind: str,
    email: str,
    to: Membership | None,
    lasts_ms: int,
    use_case: str,
    **facts: str,
) -> Handed:
    now, token = site.now(), codes.token()
    party, role = (str(to.party), to.role) if to is not None else (None, None)
    link = Link(codes.hash_of(token), kind, email, party, role, now, str(actor), now + lasts_ms)
    links.add(site.engine, link, Entry(now, str(actor), use_case, email, facts))
    return Handed(token, email, link.expires_at)


def _open(site: Site, token: str) -> Link:
    link = links.get(site.engine, codes.hash_of(token))
    if link is None or link.kind != "invitation" or link.used_at is not None or link.expires_at <= site.now():
        raise Refused(Code.LINK_OVER)
    return link


def _checked(site: Site, party: str, role: str) -> Membership:
    """The membership, if there are such a party and such a role in it. Raises Refused."""
    of = party_named(party)
    if role not in ROLES[of.kind]:
        raise invalid("role", f"expected {' or '.join(ROLES[of.kind])} for {of.kind}, got {role!r}")
    if of.kind != "operator":
        checked.word(of.id, "party")
        market = in_force(site.engine).marketplace
        if of.kind == "advertiser":
            advertiser_of(site, market, of.id)
        elif of.kind == "publisher":
            publisher_of(site, market, of.id)
        elif of.id not in market.destinations:
            raise Refused(Code.UNKNOWN, what="destination", name=of.id)
    return membership(party, role)


def _address(email: str) -> str:
    """A mail address in lower case. Raises Refused."""
    address = email.strip().lower()
    is_one = len(address) <= LONGEST_ADDRESS and address.isprintable() and _ADDRESS.fullmatch(address)
    if not is_one:
        raise invalid("email", f"expected a mail address such as ada@example.com, got {address[:60]!r}")
    return checked.text(address, "email")


def person_from(row: PersonRow) -> Person:
    """The person, without what proves them."""
    of = tuple(membership(party, role) for party, role in row.memberships.items())
    has = row.password_hash is not None, row.totp_secret is not None
    return Person(row.id, row.email, row.name, of, *has, row.created_at, row.removed_at)


def _invitation(link: Link, has_account: bool = False) -> Invitation:
    to = membership(link.party or "", link.role or "")
    return Invitation(link.email, to, link.by, link.created_at, link.expires_at, has_account)
