"""Passkeys: made by who is signed in, good for one answer a challenge, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_app.access.passkeys import ANSWERED_MS, NotAPasskey, challenge_of, id_of
from ari_app.desk import audit, passkeys, people, signin
from ari_app.desk.refused import Code
from ari_app.desk.signin import SignedIn
from ari_app.desk.site import Site
from ari_app.store.people.passkeys import MOST_OF_ONE
from tests.kit.authenticator import Authenticator, changed
from tests.unit.desk.test_signin import ADA, EMAIL, HERE, enrolled, join, later, refused, viewer

HOST, ORIGIN = "calls.example", "https://calls.example"


@pytest.fixture
def site(site: Site) -> Site:
    """An exchange whose pages have a name."""
    return replace(site, settings=replace(site.settings, web=replace(site.settings.web, url=ORIGIN)))


@pytest.fixture
def joined(site: Site) -> SignedIn:
    """Joe of acme is signed in."""
    return join(site)


@pytest.fixture
def phone() -> Authenticator:
    """Joe's."""
    return Authenticator(ORIGIN, HOST)


def have(site: Site, joined: SignedIn, phone: Authenticator, name: str = "phone") -> None:
    who = viewer(site, joined)
    passkeys.add(site, who, phone.make(passkeys.options_to_make(site, who)), name)


def test_a_passkey_signs_in_without_password_or_code(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    have(site, joined, phone)
    enrolled(site, joined)
    for ms in (1, 2):
        then = later(site, ms)
        begun = passkeys.sign_in(then, phone.use(passkeys.options_to_sign_in(then)), HERE)
        assert not begun.awaits_code
        assert viewer(then, begun).name == EMAIL
    [found] = passkeys.listed(site, viewer(site, joined))
    assert (found.name, found.uses, found.used_at) == ("phone", 2, site.now() + 2)
    assert audit.listed(site, 1)[0].facts == {"by": "passkey"}


def test_what_is_asked_of_the_browser(site: Site, joined: SignedIn, phone: Authenticator) -> None:
    have(site, joined, phone)
    asked = passkeys.options_to_make(site, viewer(site, joined))
    assert (asked["rp"]["id"], asked["user"]["name"]) == (HOST, EMAIL)
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in asked["excludeCredentials"]] == [
        passkeys.listed(site, viewer(site, joined))[0].id
    ]
    to_sign_in = passkeys.options_to_sign_in(site)
    assert (to_sign_in["rpId"], to_sign_in["userVerification"]) == (HOST, "required")
    assert not to_sign_in.get("allowCredentials"), "it tells nobody who has a passkey here"


def test_an_answer_is_good_once(site: Site, joined: SignedIn, phone: Authenticator) -> None:
    have(site, joined, phone)
    then = later(site, 1)
    answer = phone.use(passkeys.options_to_sign_in(then))
    passkeys.sign_in(then, answer, HERE)
    refused(Code.WRONG_CODE, passkeys.sign_in, then, answer, HERE)
    phone.uses = -1  # as passkeys that are in several devices do, it does not count
    older = phone.use(passkeys.options_to_sign_in(site))
    refused(Code.WRONG_CODE, passkeys.sign_in, then, older, HERE)


def test_a_challenge_is_answered_within_five_minutes(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    have(site, joined, phone)
    answer = phone.use(passkeys.options_to_sign_in(later(site, 1)))
    refused(Code.WRONG_CODE, passkeys.sign_in, later(site, 1 + ANSWERED_MS), answer, HERE)
    refused(Code.WRONG_CODE, passkeys.sign_in, site, answer, HERE)
    passkeys.sign_in(later(site, ANSWERED_MS), answer, HERE)


def test_a_challenge_is_for_one_purpose_and_one_session(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    who = viewer(site, joined)
    other = viewer(site, join(site, email="eve@acme.example"))
    to_make = passkeys.options_to_make(site, who)
    refused(Code.WRONG_CODE, passkeys.add, site, other, phone.make(to_make), "phone")
    refused(Code.WRONG_CODE, passkeys.add, site, who, phone.make(passkeys.options_to_sign_in(site)), "phone")
    have(site, joined, phone)
    refused(Code.WRONG_CODE, passkeys.sign_in, site, phone.use(to_make), HERE)
    refused(Code.WRONG_CODE, passkeys.sign_in, site, phone.use({"challenge": "AAAA"}), HERE)


@pytest.mark.parametrize(
    "phone",
    [
        Authenticator("https://evil.example", HOST),
        Authenticator(ORIGIN, "evil.example"),
        Authenticator(ORIGIN, HOST, sees_owner=False),
    ],
    ids=["another origin", "another host", "owner not seen"],
)
def test_what_another_site_gets_or_nobody_confirmed_is_none(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    who = viewer(site, joined)
    refused(
        Code.WRONG_CODE, passkeys.add, site, who, phone.make(passkeys.options_to_make(site, who)), "phone"
    )
    good = Authenticator(ORIGIN, HOST)
    have(site, joined, good)
    good.origin, good.host, good.flags = phone.origin, phone.host, phone.flags
    then = later(site, 1)
    refused(Code.WRONG_CODE, passkeys.sign_in, then, good.use(passkeys.options_to_sign_in(then)), HERE)


@pytest.mark.parametrize("field", ["clientDataJSON", "authenticatorData", "signature"])
def test_no_byte_of_an_answer_can_be_another(
    site: Site, joined: SignedIn, phone: Authenticator, field: str
) -> None:
    have(site, joined, phone)
    then = later(site, 1)
    for at in range(0, 90, 7):
        answer = changed(phone.use(passkeys.options_to_sign_in(then)), field, at)
        refused(Code.WRONG_CODE, passkeys.sign_in, then, answer, HERE)


def test_a_passkey_of_another_key_is_not_the_one_that_is_known(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    have(site, joined, phone)
    thief = Authenticator(ORIGIN, HOST)
    thief.id = phone.id
    then = later(site, 1)
    refused(Code.WRONG_CODE, passkeys.sign_in, then, thief.use(passkeys.options_to_sign_in(then)), HERE)
    refused(Code.EXISTS, have, site, joined, thief)


def test_it_is_proved_again_by_an_own_passkey_alone(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    have(site, joined, phone)
    then = later(site, 700_000)
    who = signin.viewer_of(then, joined.token)
    assert not who.is_fresh(then.now())
    token = passkeys.confirm(then, who, phone.use(passkeys.options_to_sign_in(then)))
    assert signin.viewer_of(then, token).is_fresh(then.now())
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, then, joined.token)
    eve = viewer(then, join(then, email="eve@acme.example"))
    then = later(then, 1)
    refused(Code.WRONG_CODE, passkeys.confirm, then, eve, phone.use(passkeys.options_to_sign_in(then)))


def test_a_passkey_is_removed_by_its_person_and_goes_with_them(
    site: Site, joined: SignedIn, phone: Authenticator
) -> None:
    have(site, joined, phone)
    [found] = passkeys.listed(site, viewer(site, joined))
    eve = viewer(site, join(site, email="eve@acme.example"))
    refused(Code.UNKNOWN, passkeys.remove, site, eve, found.id)
    passkeys.remove(site, viewer(site, joined), found.id)
    then = later(site, 1)
    refused(Code.WRONG_CODE, passkeys.sign_in, then, phone.use(passkeys.options_to_sign_in(then)), HERE)
    have(site, joined, phone)
    people.remove(site, ADA, EMAIL, "advertiser:acme")
    refused(Code.WRONG_CODE, passkeys.sign_in, then, phone.use(passkeys.options_to_sign_in(then)), HERE)


def test_a_person_has_a_bounded_number_of_them(site: Site, joined: SignedIn) -> None:
    for n in range(MOST_OF_ONE):
        have(site, joined, Authenticator(ORIGIN, HOST), f"key {n}")
    refused(Code.EXISTS, have, site, joined, Authenticator(ORIGIN, HOST), "one more")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8480", "http://[::1]:8480"])
def test_where_pages_have_no_name_no_passkey_can_hold(site: Site, joined: SignedIn, url: str) -> None:
    bare = replace(site, settings=replace(site.settings, web=replace(site.settings.web, url=url)))
    found = refused(Code.INVALID, passkeys.options_to_make, bare, viewer(site, joined))
    assert "passkeys need an address with a name" in str(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["clientDataJSON", "authenticatorData", "signature", "attestationObject", "userHandle"]
)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={"id": JSON, "rawId": JSON, "type": JSON, "response": st.dictionaries(FIELDS, JSON) | JSON},
    )
)
def test_whatever_a_stranger_sends_is_no_passkey_and_no_failure(answer: dict[str, Any]) -> None:
    with pytest.raises(NotAPasskey):
        challenge_of(b"key", "sign-in", answer, 0)
    try:
        id_of(answer)
    except NotAPasskey:
        return
    assert isinstance(answer["id"], str)
