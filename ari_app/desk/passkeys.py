"""Passkeys: made, listed, removed; signing in by one, and proving it again by one."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ari_app.access import codes, passkeys
from ari_app.access.parties import Viewer
from ari_app.access.passkeys import Made, NotAPasskey, Place
from ari_app.desk import checked, signin
from ari_app.desk.checked import invalid
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import Client, SignedIn, person_of, session_of
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.store.people import passkeys as store
from ari_app.store.people import people, sessions, sights
from ari_app.store.people.passkeys import Passkey

log = logging.getLogger(__name__)

Answer = Mapping[str, Any]
"""What a browser answers, as JSON: `PublicKeyCredential.toJSON()`."""
T = TypeVar("T")
_SIGN_IN = "sign-in"


def options_to_make(site: Site, viewer: Viewer) -> dict[str, Any]:
    """What the person's browser is asked, to make a passkey. Raises Refused, also where no passkey can hold."""
    row = person_of(site, viewer)
    key = _key(site)
    known = [one.id for one in store.of_person(site.engine, row.id)]
    handle = hmac.digest(key, f"person {row.id}".encode(), "sha256")
    challenge = passkeys.challenge(key, _making(viewer), site.now())
    return passkeys.options_to_make(_place(site), challenge, handle, row.email, row.name, known)


def add(site: Site, viewer: Viewer, answer: Answer, name: str) -> None:
    """Adds the passkey that the browser made, under a name of the person's own. Raises Refused, StoreError."""
    row, now, named = person_of(site, viewer), site.now(), checked.line(name, "name")
    made = _held(lambda: passkeys.made(_place(site), _key(site), _making(viewer), answer, now))
    passkey = Passkey(made.id, row.id, named, made.public_key.hex(), made.uses, now)
    entry = Entry(now, str(viewer.actor), "people.add_passkey", row.email, {"name": named})
    if not store.add(site.engine, passkey, entry):
        raise Refused(Code.EXISTS, what="passkey", name=named)


def listed(site: Site, viewer: Viewer) -> Sequence[Passkey]:
    """The person's passkeys."""
    return store.of_person(site.engine, person_of(site, viewer).id)


def remove(site: Site, viewer: Viewer, id: str) -> None:
    """Removes one of the person's passkeys. Raises Refused, StoreError."""
    row = person_of(site, viewer)
    entry = Entry(site.now(), str(viewer.actor), "people.remove_passkey", row.email)
    if not store.remove(site.engine, row.id, checked.word(id, "id"), entry):
        raise Refused(Code.UNKNOWN, what="passkey", name=id)


def options_to_sign_in(site: Site) -> dict[str, Any]:
    """What a browser is asked, to sign in by a passkey or to prove it again. Nothing is kept of it."""
    return passkeys.options_to_ask(_place(site), passkeys.challenge(_key(site), _SIGN_IN, site.now()))


def sign_in(site: Site, answer: Answer, client: Client) -> SignedIn:
    """Begins a session by a passkey; no code is asked for. Raises Refused, StoreError."""
    found = _used(site, answer)
    row = people.by_id(site.engine, found.person_id)
    if row is None or row.removed_at is not None:
        raise Refused(Code.WRONG_CODE)
    return signin.begin(site, row, client, how="passkey", is_proved=True)


def confirm(site: Site, viewer: Viewer, answer: Answer) -> str:
    """Proves again who it is, by one of the person's own; returns the session's new token. Raises Refused."""
    row, session = person_of(site, viewer), session_of(viewer)
    if _used(site, answer).person_id != row.id:
        raise Refused(Code.WRONG_CODE)
    token = codes.token()
    changed = {"token_hash": codes.hash_of(token), "confirmed_at": site.now()}
    sessions.set_(site.engine, session, None, **changed)
    return token


def _used(site: Site, answer: Answer) -> Passkey:
    """The passkey that answered; an answer is good once."""
    now = site.now()
    found = store.get(site.engine, _held(lambda: passkeys.id_of(answer)))
    if found is None:
        raise Refused(Code.WRONG_CODE)
    known = Made(found.id, bytes.fromhex(found.public_key), found.uses)
    uses, at = _held(lambda: passkeys.used(_place(site), _key(site), _SIGN_IN, answer, known, now))
    if not store.use(site.engine, found.id, uses, at, now):
        raise Refused(Code.WRONG_CODE)
    return found


def _held(check: Callable[[], T]) -> T:
    try:
        return check()
    except NotAPasskey as error:
        log.info("not a passkey: %s", error)
        raise Refused(Code.WRONG_CODE) from error


def _key(site: Site) -> bytes:
    return sights.code_key(site.engine)


def _making(viewer: Viewer) -> str:
    """The purpose of a challenge by which this session makes a passkey."""
    return f"make {session_of(viewer)}"


def _place(site: Site) -> Place:
    """Where our pages are. Raises Refused for a bare IP address: no passkey can hold for one."""
    origin = site.settings.web.public_url
    host = urlsplit(origin).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Place(host, origin)
    raise invalid("passkey", f"passkeys need an address with a name, and this one is {host}")
