"""Signing in and out: sessions, and who looks by one.

What is proved: a password, and a code where the person has an authenticator; or a link that an owner made. At each step
that proves more the session's token is a new one, so that nobody can plant one beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ari_app.access import codes, passwords
from ari_app.access.parties import ROLES, Membership, Party, Role, Viewer, party_of
from ari_app.desk.allowed import require
from ari_app.desk.checked import invalid
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.store.db.engine import writing
from ari_app.store.people import brake, links, people, sessions
from ari_app.store.people.people import PersonRow
from ari_app.store.people.sessions import Session, SessionRow

LONGEST_MS = 7 * 86_400_000
IDLE_MS = 12 * 3_600_000
CODE_MS = 10 * 60_000
"""How long a session lasts at most; unused; and how long the code is waited for after the password."""
_SEEN_EVERY_MS = 60_000
_MANY_PEOPLE = 10  # share one address before it waits as one person does


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from: the address, for the brake and the list of sessions, and the browser's own name."""

    address: str
    browser: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun. `token` is for the browser alone. `awaits_code`: it is good for `give_code` alone."""

    token: str
    awaits_code: bool
    expires_at: int


def sign_in(site: Site, email: str, password: str, client: Client) -> SignedIn:
    """Begins a session by a password. Raises Refused (also while the brake holds), StoreError."""
    with braked(site, "password", email.strip().lower(), client):
        row = _by_password(site, email, password)
    return begin(site, row, client, how="password")


def give_code(site: Site, token: str, code: str, client: Client) -> SignedIn:
    """The second step: a code of the person's authenticator, or one of their recovery codes. Raises Refused."""
    found = sessions.find(site.engine, codes.hash_of(token), site.now(), CODE_MS)
    row = people.by_id(site.engine, found.person_id) if found is not None and found.awaits_code else None
    if found is None or row is None:
        raise Refused(Code.NOT_SIGNED_IN)
    check_code(site, row, code, client)
    return _replaced(site, found, row, client)


def sign_in_by_link(site: Site, token: str, client: Client) -> SignedIn:
    """Begins a session by a link, which is good once, and asks for no password. Raises Refused, StoreError."""
    now, hash_ = site.now(), codes.hash_of(token)
    link = links.get(site.engine, hash_)
    row = people.by_email(site.engine, link.email) if link is not None and link.kind == "sign_in" else None
    if row is None or row.removed_at is not None or not row.memberships:
        raise Refused(Code.LINK_OVER)
    with writing(site.engine) as connection:
        if not links.use(connection, hash_, now):
            raise Refused(Code.LINK_OVER)
    return begin(site, row, client, how="link")


def viewer_of(site: Site, token: str) -> Viewer:
    """Who looks by this session's token. Raises Refused (NOT_SIGNED_IN), StoreError."""
    now = site.now()
    found = sessions.find(site.engine, codes.hash_of(token), now, IDLE_MS)
    if found is None or found.awaits_code or not found.roles:
        raise Refused(Code.NOT_SIGNED_IN)
    if now - found.seen_at >= _SEEN_EVERY_MS:
        sessions.touch(site.engine, found.id, now)
    return _viewer(found)


def confirm(site: Site, viewer: Viewer, proof: str, client: Client) -> str:
    """Proves again who it is, by a code where the person has an authenticator, else by the password.

    Returns the session's new token. Raises Refused, StoreError.
    """
    row, now = person_of(site, viewer), site.now()
    if row.totp_secret is not None:
        check_code(site, row, proof, client)
    else:
        with braked(site, "password", row.email, client):
            require_password(row, proof)
    token = codes.token()
    changed = {"token_hash": codes.hash_of(token), "confirmed_at": now}
    sessions.set_(site.engine, session_of(viewer), None, **changed)
    return token


def sign_out(site: Site, viewer: Viewer) -> None:
    """Ends this session."""
    end(site, viewer, session_of(viewer))


def listed(site: Site, viewer: Viewer) -> list[SessionRow]:
    """The person's sessions, on all their devices."""
    return sessions.of_person(site.engine, person_of(site, viewer).id, site.now())


def end(site: Site, viewer: Viewer, id: int | None = None) -> int:
    """Ends one of the person's sessions, or all; returns how many. Raises Refused when it is none of theirs."""
    row = person_of(site, viewer)
    entry = Entry(site.now(), str(viewer.actor), "people.end_session", row.email)
    ended = sessions.end(site.engine, row.id, id, entry)
    if not ended:
        raise Refused(Code.UNKNOWN, what="session", name=id)
    return ended


def choose(site: Site, viewer: Viewer, party: str) -> None:
    """Goes on as another party that the person belongs to. Raises Refused."""
    if party not in [str(one.party) for one in viewer.parties]:
        raise Refused(Code.UNKNOWN, what="membership", name=party)
    sessions.set_(site.engine, session_of(viewer), party=party, as_party=None)


def look_as(site: Site, viewer: Viewer, party: str) -> None:
    """An operator's person sees from now on what this party sees, and can change nothing. Raises Refused.

    Faces say so on each page.
    """
    require(viewer, "signin.look_as", site.now())
    of = party_named(party)
    if of.kind == "operator":
        raise invalid("party", "the operator is who looks")
    entry = Entry(site.now(), str(viewer.actor), "people.look_as", str(of))
    sessions.set_(site.engine, session_of(viewer), entry, as_party=str(of))


def look_no_more(site: Site, viewer: Viewer) -> None:
    """Goes back from `look_as` to what the person is."""
    entry = Entry(site.now(), str(viewer.actor), "people.look_no_more", str(viewer.party))
    sessions.set_(site.engine, session_of(viewer), entry, as_party=None)


# For the other use cases of people


def begin(
    site: Site, row: PersonRow, client: Client, *, how: str, party: str | None = None, is_proved: bool = False
) -> SignedIn:
    """Begins a session for somebody who proved who they are. With an authenticator it waits for its code.

    `is_proved`: the code was given, too.
    """
    if not row.memberships:
        raise Refused(Code.WRONG_SIGN_IN)
    now, token = site.now(), codes.token()
    awaits = row.totp_secret is not None and not is_proved
    expires_at = now + (CODE_MS if awaits else LONGEST_MS)
    session = _session(row, client, token, now, expires_at, party, awaits)
    sessions.add(site.engine, session, None if awaits else _signed_in(now, row, how))
    return SignedIn(token, awaits, expires_at)


def person_of(site: Site, viewer: Viewer) -> PersonRow:
    """The person who looks. Raises Refused for a program."""
    row = people.by_id(site.engine, viewer.person) if viewer.person is not None else None
    if row is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return row


def session_of(viewer: Viewer) -> int:
    """The id of the viewer's session. Raises Refused for a program."""
    if viewer.session is None:
        raise Refused(Code.NOT_SIGNED_IN)
    return viewer.session


@contextmanager
def braked(site: Site, what: str, account: str, client: Client) -> Iterator[None]:
    """A try, counted as a failure unless the block ends without an error. Raises Refused while one has to wait."""
    keys = brake.key(what, account), brake.key("address", client.address)
    wait_ms = brake.begin(site.engine, keys, site.now(), {keys[1]: _MANY_PEOPLE})
    if wait_ms:
        raise Refused(Code.TOO_MANY_TRIES, seconds=-(-wait_ms // 1000))
    yield
    brake.succeeded(site.engine, *keys)


def require_password(row: PersonRow | None, password: str) -> PersonRow:
    """The person, if it is their password; it takes as long for a person that is not there. Raises Refused."""
    is_right = passwords.matches(row.password_hash if row else None, password)
    if row is None or not is_right or row.removed_at is not None:
        raise Refused(Code.WRONG_SIGN_IN)
    return row


def check_code(site: Site, row: PersonRow, code: str, client: Client) -> None:
    """Uses a code of the person's authenticator, or a recovery code. None is good twice. Raises Refused."""
    now = site.now()
    with braked(site, "code", row.email, client):
        step = codes.totp_step(row.totp_secret, code, now) if row.totp_secret is not None else None
        if step is not None and people.use_step(site.engine, row.id, step):
            return
        entry = Entry(now, row.email, "people.use_recovery_code", row.email)
        if people.use_recovery(site.engine, row.id, codes.recovery_hash(code), entry) is None:
            raise Refused(Code.WRONG_CODE)


def _by_password(site: Site, email: str, password: str) -> PersonRow:
    return require_password(people.by_email(site.engine, email.strip().lower()), password)


def _replaced(site: Site, found: SessionRow, row: PersonRow, client: Client) -> SignedIn:
    now, token = site.now(), codes.token()
    session = _session(row, client, token, now, now + LONGEST_MS, found.party, False)
    if not sessions.replace_by(site.engine, found.id, session, _signed_in(now, row, "password and code")):
        raise Refused(Code.NOT_SIGNED_IN)
    return SignedIn(token, False, session.expires_at)


def _session(
    row: PersonRow, client: Client, token: str, now: int, expires_at: int, party: str | None, awaits: bool
) -> Session:
    chosen = party if party is not None and party in row.memberships else _first(row)
    where = client.address[:100], client.browser[:200]
    return Session(codes.hash_of(token), row.id, chosen, awaits, now, now, expires_at, *where)


def _first(row: PersonRow) -> str:
    """The party that somebody is in when they come: the operator, where they are of it."""
    return "operator" if "operator" in row.memberships else next(iter(row.memberships))


def _signed_in(now: int, row: PersonRow, how: str) -> Entry:
    return Entry(now, row.email, "people.sign_in", row.email, {"by": how})


def _viewer(found: SessionRow) -> Viewer:
    parties = tuple(membership(party, role) for party, role in found.roles)
    own = next((one for one in parties if str(one.party) == found.party), parties[0])
    party, role, seen_by = own.party, own.role, None
    if found.as_party is not None and own.party.kind == "operator":
        party, seen_by = party_of(found.as_party), found.email
        role = "agent" if party.kind == "agent" else "read_only"
    return Viewer(
        found.email,
        party,
        role,
        confirmed_at=found.confirmed_at,
        seen_by=seen_by,
        person=found.person_id,
        session=found.id,
        parties=parties,
    )


def membership(party: str, role: str) -> Membership:
    """A membership as it is saved."""
    return Membership(party_of(party), _role(role))


def _role(text: str) -> Role:
    for roles in ROLES.values():
        for known in roles:
            if text == known:
                return known
    raise ValueError(f"{text!r} is no role")


def party_named(text: str) -> Party:
    """The party that is written like this. Raises Refused."""
    try:
        return party_of(text)
    except ValueError as error:
        raise invalid("party", str(error)) from error
