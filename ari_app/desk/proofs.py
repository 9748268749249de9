"""What people prove themselves by: a password, an authenticator's codes, recovery codes."""

from __future__ import annotations

from dataclasses import dataclass

from ari_app.access import codes, passwords
from ari_app.access.parties import Person, Viewer
from ari_app.desk.checked import invalid
from ari_app.desk.people import person_from, require_good
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import Client, braked, check_code, person_of, require_password, session_of
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.store.people import people

EXCHANGE = "Callrace"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """What somebody's authenticator is to know: the secret, and the same as the text of a QR code."""

    secret: str
    uri: str


def mine(site: Site, viewer: Viewer) -> Person:
    """Who looks. Raises Refused for a program."""
    return person_from(person_of(site, viewer))


def change_password(site: Site, viewer: Viewer, client: Client, *, old: str, new: str) -> None:
    """Changes the password; other sessions of theirs end. `old` is not asked of who has none. Raises Refused."""
    row = person_of(site, viewer)
    if row.password_hash is not None:
        with braked(site, "password", row.email, client):
            require_password(row, old)
    require_good(new, row.name, row.email)
    entry = _entry(site, viewer, "people.change_password")
    people.change(site.engine, row.id, entry, but_for=session_of(viewer), password_hash=passwords.hashed(new))


def new_authenticator(site: Site, viewer: Viewer) -> Authenticator:
    """A new secret for the person's authenticator. It counts once `enrol` has seen a code of it. Raises Refused."""
    row, secret = person_of(site, viewer), codes.totp_secret()
    return Authenticator(secret, codes.totp_uri(secret, row.email, EXCHANGE))


def enrol(site: Site, viewer: Viewer, secret: str, code: str) -> list[str]:
    """From now on a code is asked for at each sign-in. Other sessions end. Returns the recovery codes, shown once.

    Raises Refused when the code is not one of this secret.
    """
    row, now = person_of(site, viewer), site.now()
    if row.totp_secret is not None:
        raise Refused(Code.EXISTS, what="authenticator", name=row.email)
    if not codes.is_totp_secret(secret):
        raise invalid("secret", "expected one that was made here")
    step = codes.totp_step(secret, code, now)
    if step is None:
        raise Refused(Code.WRONG_CODE)
    fresh = codes.recovery_codes()
    people.change(
        site.engine,
        row.id,
        _entry(site, viewer, "people.enrol"),
        recovery=[codes.recovery_hash(one) for one in fresh],
        but_for=session_of(viewer),
        totp_secret=secret,
        totp_step=step,
    )
    return fresh


def drop_authenticator(site: Site, viewer: Viewer, client: Client, code: str) -> None:
    """No code is asked for any more. It takes one, or a recovery code. Other sessions end. Raises Refused."""
    row = person_of(site, viewer)
    check_code(site, row, code, client)
    entry = _entry(site, viewer, "people.drop_authenticator")
    kept = session_of(viewer)
    people.change(site.engine, row.id, entry, recovery=[], but_for=kept, totp_secret=None, totp_step=None)


def new_recovery_codes(site: Site, viewer: Viewer, client: Client, code: str) -> list[str]:
    """New recovery codes in place of the old ones, for a code of the authenticator. Raises Refused."""
    row = person_of(site, viewer)
    check_code(site, row, code, client)
    fresh = codes.recovery_codes()
    people.change(
        site.engine,
        row.id,
        _entry(site, viewer, "people.new_recovery_codes"),
        recovery=[codes.recovery_hash(one) for one in fresh],
        but_for=session_of(viewer),
    )
    return fresh


def _entry(site: Site, viewer: Viewer, use_case: str) -> Entry:
    return Entry(site.now(), str(viewer.actor), use_case, viewer.name)
