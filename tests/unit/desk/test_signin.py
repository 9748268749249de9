"""Signing in and out: what it takes, what a session is good for, and what ends it."""

from __future__ import annotations

from dataclasses import replace

import pyotp
import pytest
from sqlalchemy import select

from ari_app.access.actor import operator
from ari_app.access.parties import OPERATOR, Membership, Party, Viewer
from ari_app.desk import audit, people, proofs, signin
from ari_app.desk.refused import Code, Refused
from ari_app.desk.signin import Client, SignedIn
from ari_app.desk.site import Site
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import metadata
from ari_app.store.people import brake
from tests.unit.desk.conftest import at

ADA = operator("ada")
HERE = Client("192.0.2.7", "a browser")
PASSWORD = "correct horse battery"
EMAIL = "joe@acme.example"


@pytest.fixture
def joined(site: Site) -> SignedIn:
    """Joe of acme has just accepted an invitation."""
    return join(site)


def join(site: Site, party: str = "advertiser:acme", role: str = "manager", email: str = EMAIL) -> SignedIn:
    token = people.invite(site, ADA, email, party, role).token
    return people.accept(site, token, HERE, password=PASSWORD, name="Joe")


def later(site: Site, ms: int) -> Site:
    """The same exchange so long (ms) afterwards."""
    return at(site, site.now() + ms)


def viewer(site: Site, signed_in: SignedIn) -> Viewer:
    return signin.viewer_of(site, signed_in.token)


def enrolled(site: Site, signed_in: SignedIn) -> tuple[str, list[str]]:
    """Joe has an authenticator; returns its secret, and the recovery codes."""
    who = viewer(site, signed_in)
    secret = proofs.new_authenticator(site, who).secret
    return secret, proofs.enrol(site, who, secret, code(secret, site))


def code(secret: str, site: Site) -> str:
    return pyotp.TOTP(secret).at(site.now() // 1000)


def refused(code: Code, call: object, *args: object, **named: object) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **named)  # type: ignore[operator]
    assert caught.value.code is code
    return caught.value


def test_who_accepts_an_invitation_is_signed_in_as_what_they_were_invited_as(
    site: Site, joined: SignedIn
) -> None:
    who = viewer(site, joined)
    assert (who.name, who.party, who.role) == (EMAIL, Party("advertiser", "acme"), "manager")
    assert str(who.actor) == "advertiser:acme/joe@acme.example"
    assert who.own == {"advertiser": "acme"}


def test_a_password_signs_in_whatever_the_addresses_case(site: Site, joined: SignedIn) -> None:
    again = signin.sign_in(site, " JOE@acme.example ", PASSWORD, HERE)
    assert again.token != joined.token
    assert viewer(site, again).person == viewer(site, joined).person


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong"), ("nobody@acme.example", PASSWORD), ("", "")]
)
def test_a_wrong_password_and_an_unknown_address_are_told_alike(
    site: Site, joined: SignedIn, email: str, password: str
) -> None:
    found = refused(Code.WRONG_SIGN_IN, signin.sign_in, site, email, password, HERE)
    assert str(found) == "the address or the password is wrong"


@pytest.mark.parametrize("token", ["", "x", "\udcff", "a" * 10_000])
def test_what_is_no_token_is_nobody(site: Site, token: str) -> None:
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, token)


def test_neither_a_token_nor_a_password_is_in_the_database(site: Site, joined: SignedIn) -> None:
    link = people.sign_in_link(site, ADA, EMAIL).token
    secret, recovery = enrolled(site, joined)
    with reading(site.engine) as connection:
        rows = str([connection.execute(select(table)).all() for table in metadata.sorted_tables])
    assert EMAIL in rows and "$argon2id$" in rows and secret in rows
    for hidden in (joined.token, PASSWORD, link, *recovery):
        assert hidden not in rows


# How long it lasts


def test_a_session_ends_after_half_a_day_without_use_and_after_a_week_with(
    site: Site, joined: SignedIn
) -> None:
    for hours in range(11, 165, 11):
        signin.viewer_of(later(site, hours * 3_600_000), joined.token)
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, later(site, 7 * 86_400_000), joined.token)
    other = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, later(site, 12 * 3_600_000), other.token)


def test_who_signs_out_is_nobody(site: Site, joined: SignedIn) -> None:
    signin.sign_out(site, viewer(site, joined))
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, joined.token)


def test_a_person_sees_their_sessions_and_ends_one_or_all(site: Site, joined: SignedIn) -> None:
    other = signin.sign_in(later(site, 1), EMAIL, PASSWORD, Client("203.0.113.9", "a phone"))
    found = signin.listed(site, viewer(site, joined))
    assert [(one.address, one.browser) for one in found] == [
        ("203.0.113.9", "a phone"),
        ("192.0.2.7", "a browser"),
    ]
    assert signin.end(site, viewer(site, joined), found[0].id) == 1
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, other.token)
    stranger = join(site, email="eve@acme.example")
    refused(Code.UNKNOWN, signin.end, site, viewer(site, stranger), found[1].id)
    assert signin.end(site, viewer(site, joined)) == 1
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, joined.token)


def test_a_person_has_a_bounded_number_of_sessions(site: Site, joined: SignedIn) -> None:
    tokens = [
        signin.begin(later(site, n), signin.person_of(site, viewer(site, joined)), HERE, how="password").token
        for n in range(1, 50)
    ]
    assert len(signin.listed(site, viewer(site, joined))) == 50
    newest = signin.sign_in(later(site, 60), EMAIL, PASSWORD, HERE)
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, joined.token)
    for token in (tokens[-1], newest.token):
        signin.viewer_of(site, token)


# The authenticator


def test_with_an_authenticator_a_code_is_asked_for(site: Site, joined: SignedIn) -> None:
    secret, _ = enrolled(site, joined)
    first = signin.sign_in(later(site, 60_000), EMAIL, PASSWORD, HERE)
    assert first.awaits_code
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, first.token)
    then = later(site, 60_000)
    second = signin.give_code(then, first.token, code(secret, then), HERE)
    assert second.token != first.token
    assert signin.viewer_of(then, second.token).name == EMAIL
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, then, first.token)
    refused(Code.NOT_SIGNED_IN, signin.give_code, then, first.token, code(secret, later(then, 60_000)), HERE)


def test_a_code_is_good_once_and_half_a_minute_to_either_side(site: Site, joined: SignedIn) -> None:
    secret, _ = enrolled(site, joined)
    awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    refused(Code.WRONG_CODE, signin.give_code, site, awaits.token, code(secret, site), HERE)
    refused(Code.WRONG_CODE, signin.give_code, site, awaits.token, code(secret, later(site, 90_000)), HERE)
    signin.give_code(site, awaits.token, code(secret, later(site, 30_000)), HERE)


def test_the_code_is_waited_for_ten_minutes(site: Site, joined: SignedIn) -> None:
    secret, _ = enrolled(site, joined)
    awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    then = later(site, 600_000)
    refused(Code.NOT_SIGNED_IN, signin.give_code, then, awaits.token, code(secret, then), HERE)


def test_a_session_that_is_whole_takes_no_code(site: Site, joined: SignedIn) -> None:
    refused(Code.NOT_SIGNED_IN, signin.give_code, site, joined.token, "123456", HERE)


def test_a_recovery_code_is_good_once_however_it_is_written(site: Site, joined: SignedIn) -> None:
    _, recovery = enrolled(site, joined)
    assert len(set(recovery)) == 10
    awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    signin.give_code(site, awaits.token, recovery[0].upper().replace("-", " "), HERE)
    awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    refused(Code.WRONG_CODE, signin.give_code, site, awaits.token, recovery[0], HERE)
    [used] = [entry for entry in audit.listed(site, 20) if entry.use_case == "people.use_recovery_code"]
    assert used.facts == {"left": 9}


def test_an_authenticator_counts_only_once_its_code_was_seen(site: Site, joined: SignedIn) -> None:
    who = viewer(site, joined)
    made = proofs.new_authenticator(site, who)
    assert made.uri.startswith("otpauth://totp/Callrace:joe%40acme.example?secret=")
    refused(Code.WRONG_CODE, proofs.enrol, site, who, made.secret, "000000")
    refused(Code.INVALID, proofs.enrol, site, who, "SHORT", "000000")
    assert not signin.sign_in(site, EMAIL, PASSWORD, HERE).awaits_code


def test_to_enrol_ends_the_other_sessions_and_cannot_be_done_twice(site: Site, joined: SignedIn) -> None:
    other = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    secret, _ = enrolled(site, joined)
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, other.token)
    who = viewer(site, joined)
    refused(Code.EXISTS, proofs.enrol, site, who, secret, code(secret, site))


def test_an_authenticator_is_dropped_by_one_of_its_codes(site: Site, joined: SignedIn) -> None:
    _, recovery = enrolled(site, joined)
    who = viewer(site, joined)
    refused(Code.WRONG_CODE, proofs.drop_authenticator, site, who, HERE, "000000")
    proofs.drop_authenticator(site, who, HERE, recovery[0])
    assert not signin.sign_in(site, EMAIL, PASSWORD, HERE).awaits_code


def test_new_recovery_codes_take_the_place_of_the_old(site: Site, joined: SignedIn) -> None:
    _, old = enrolled(site, joined)
    new = proofs.new_recovery_codes(site, viewer(site, joined), HERE, old[0])
    assert set(new).isdisjoint(old)
    awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    refused(Code.WRONG_CODE, signin.give_code, site, awaits.token, old[1], HERE)
    signin.give_code(site, awaits.token, new[1], HERE)


# Passwords


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12 characters"),
        ("x" * 257, "at most 256"),
        ("aaaaaaaaaaaa", "five different"),
        (EMAIL, "nobody can guess"),
        ("good but \udcff not text", "not text"),
    ],
)
def test_a_password_that_is_not_good_enough_is_refused(
    site: Site, joined: SignedIn, password: str, why: str
) -> None:
    who = viewer(site, joined)
    found = refused(Code.INVALID, proofs.change_password, site, who, HERE, old=PASSWORD, new=password)
    assert why in str(found)
    signin.sign_in(site, EMAIL, PASSWORD, HERE)


def test_a_new_password_takes_the_old_one_and_ends_the_other_sessions(site: Site, joined: SignedIn) -> None:
    other = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    who = viewer(site, joined)
    refused(Code.WRONG_SIGN_IN, proofs.change_password, site, who, HERE, old="wrong", new="another long one")
    proofs.change_password(site, who, HERE, old=PASSWORD, new="another long one")
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, other.token)
    assert viewer(site, joined).name == EMAIL
    refused(Code.WRONG_SIGN_IN, signin.sign_in, site, EMAIL, PASSWORD, HERE)
    signin.sign_in(site, EMAIL, "another long one", HERE)


# The brake


def test_who_fails_often_waits_longer_each_time_even_with_the_right_password(
    site: Site, joined: SignedIn
) -> None:
    for _ in range(brake.FREE):
        refused(Code.WRONG_SIGN_IN, signin.sign_in, site, EMAIL, "wrong", HERE)
    found = refused(Code.TOO_MANY_TRIES, signin.sign_in, site, EMAIL, PASSWORD, HERE)
    assert found.facts == {"seconds": 1}
    elsewhere = Client("203.0.113.9")
    refused(Code.TOO_MANY_TRIES, signin.sign_in, site, EMAIL, PASSWORD, elsewhere)
    refused(Code.WRONG_SIGN_IN, signin.sign_in, later(site, 1000), EMAIL, "wrong", HERE)
    found = refused(Code.TOO_MANY_TRIES, signin.sign_in, later(site, 1000), EMAIL, PASSWORD, HERE)
    assert found.facts == {"seconds": 2}
    signin.sign_in(later(site, 3000), EMAIL, PASSWORD, HERE)
    signin.sign_in(later(site, 3000), EMAIL, PASSWORD, HERE)


def test_an_address_that_tries_many_accounts_waits(site: Site, joined: SignedIn) -> None:
    for n in range(brake.FREE * 10):
        refused(Code.WRONG_SIGN_IN, signin.sign_in, site, f"guess{n}@acme.example", "wrong", HERE)
    refused(Code.TOO_MANY_TRIES, signin.sign_in, site, EMAIL, PASSWORD, HERE)
    signin.sign_in(site, EMAIL, PASSWORD, Client("203.0.113.9"))


def test_codes_are_guessed_under_a_brake_that_the_password_does_not_release(
    site: Site, joined: SignedIn
) -> None:
    enrolled(site, joined)
    for _ in range(brake.FREE):
        awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
        refused(Code.WRONG_CODE, signin.give_code, site, awaits.token, "000000", HERE)
    awaits = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    refused(Code.TOO_MANY_TRIES, signin.give_code, site, awaits.token, "000000", HERE)


# Proving it again, other parties


def test_the_proof_is_fresh_for_ten_minutes_and_again_once_it_is_confirmed(
    site: Site, joined: SignedIn
) -> None:
    then = later(site, 600_000)
    assert viewer(site, joined).is_fresh(then.now() - 1)
    who = signin.viewer_of(then, joined.token)
    assert not who.is_fresh(then.now())
    refused(Code.WRONG_SIGN_IN, signin.confirm, then, who, "wrong", HERE)
    token = signin.confirm(then, who, PASSWORD, HERE)
    assert signin.viewer_of(then, token).is_fresh(then.now())
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, then, joined.token)


def test_with_an_authenticator_it_is_confirmed_by_a_code(site: Site, joined: SignedIn) -> None:
    secret, _ = enrolled(site, joined)
    then = later(site, 700_000)
    who = signin.viewer_of(then, joined.token)
    refused(Code.WRONG_CODE, signin.confirm, then, who, PASSWORD, HERE)
    signin.confirm(then, who, code(secret, then), HERE)


def test_a_person_of_several_parties_goes_on_as_another(site: Site, joined: SignedIn) -> None:
    again = people.invite(site, ADA, EMAIL, "publisher:homefix", "read_only").token
    assert people.invitation(site, again).has_account
    other = people.accept(site, again, HERE, password=PASSWORD)
    who = viewer(site, other)
    assert (who.party, who.role) == (Party("publisher", "homefix"), "read_only")
    assert who.parties == (
        Membership(Party("advertiser", "acme"), "manager"),
        Membership(Party("publisher", "homefix"), "read_only"),
    )
    signin.choose(site, who, "advertiser:acme")
    assert viewer(site, other).role == "manager"
    refused(Code.UNKNOWN, signin.choose, site, who, "operator")


def test_an_operators_person_looks_as_a_party_and_goes_back(site: Site) -> None:
    ada = join(site, "operator", "manager", "ada@example.com")
    signin.look_as(site, viewer(site, ada), "publisher:homefix")
    looking = viewer(site, ada)
    assert (looking.party, looking.role, looking.seen_by) == (
        Party("publisher", "homefix"),
        "read_only",
        "ada@example.com",
    )
    signin.look_no_more(site, looking)
    assert viewer(site, ada).party == OPERATOR
    said = [(e.actor, e.use_case, e.subject) for e in audit.listed(site, 2)]
    assert said == [
        ("ada@example.com", "people.look_no_more", "publisher:homefix"),
        ("ada@example.com", "people.look_as", "publisher:homefix"),
    ]


def test_nobody_else_looks_as_another_party(site: Site, joined: SignedIn) -> None:
    refused(Code.NOT_ALLOWED, signin.look_as, site, viewer(site, joined), "publisher:homefix")
    ada = join(site, "operator", "manager", "ada@example.com")
    refused(Code.INVALID, signin.look_as, site, viewer(site, ada), "operator")


def test_a_program_has_no_session(site: Site) -> None:
    key = Viewer("till", Party("advertiser", "acme"), "manager", scopes=frozenset())
    for ask in (signin.sign_out, signin.listed):
        refused(Code.NOT_SIGNED_IN, ask, site, key)
    assert key.is_fresh(site.now())
    assert str(key.actor) == "program:advertiser:acme/till"
    assert str(replace(key, scopes=None).actor) == "advertiser:acme/till"
