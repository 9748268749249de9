"""People are invited, join, are removed; links are good once."""

from __future__ import annotations

import pytest

from ari_app.access.parties import OPERATOR, Membership, Party
from ari_app.desk import audit, people, signin
from ari_app.desk.refused import Code
from ari_app.desk.site import Site
from tests.unit.desk.test_signin import ADA, EMAIL, HERE, PASSWORD, enrolled, join, later, refused, viewer

ACME = "advertiser:acme"


def test_an_invitation_is_good_once(site: Site) -> None:
    token = people.invite(site, ADA, EMAIL, ACME, "manager").token
    told = people.invitation(site, token)
    assert (told.email, told.to, told.by, told.has_account) == (
        EMAIL,
        Membership(Party("advertiser", "acme"), "manager"),
        "ada",
        False,
    )
    people.accept(site, token, HERE, password=PASSWORD)
    refused(Code.LINK_OVER, people.invitation, site, token)
    refused(Code.LINK_OVER, people.accept, site, token, HERE, password=PASSWORD)


def test_an_invitation_is_over_after_a_week_and_once_there_is_a_newer_one(site: Site) -> None:
    first = people.invite(site, ADA, EMAIL, ACME, "manager").token
    newer = people.invite(site, ADA, EMAIL, ACME, "read_only").token
    refused(Code.LINK_OVER, people.invitation, site, first)
    assert [one.to.role for one in people.invited(site)] == ["read_only"]
    refused(Code.LINK_OVER, people.accept, later(site, people.INVITED_MS), newer, HERE, password=PASSWORD)


def test_a_bad_password_does_not_use_the_invitation_up(site: Site) -> None:
    token = people.invite(site, ADA, EMAIL, ACME, "manager").token
    refused(Code.INVALID, people.accept, site, token, HERE, password="short")
    people.accept(site, token, HERE, password=PASSWORD)
    again = people.invite(site, ADA, EMAIL, "publisher:homefix", "manager").token
    refused(Code.WRONG_SIGN_IN, people.accept, site, again, HERE, password="another long one")
    assert [str(one.party) for one in people.listed(site)[0].memberships] == [ACME]


@pytest.mark.parametrize(
    ("email", "party", "role", "code"),
    [
        ("no address", ACME, "manager", Code.INVALID),
        ("a@b@c", ACME, "manager", Code.INVALID),
        ("a\udcff@b.example", ACME, "manager", Code.INVALID),
        (f"{'a' * 250}@b.example", ACME, "manager", Code.INVALID),
        (EMAIL, ACME, "owner", Code.INVALID),
        (EMAIL, "operator", "agent", Code.INVALID),
        (EMAIL, "buyer:acme", "manager", Code.INVALID),
        (EMAIL, "advertiser:nobody", "manager", Code.NO_SUCH_PARTY),
        (EMAIL, "agent:nobody", "agent", Code.UNKNOWN),
    ],
)
def test_who_cannot_be_invited_is_refused(site: Site, email: str, party: str, role: str, code: Code) -> None:
    refused(code, people.invite, site, ADA, email, party, role)
    assert people.invited(site) == []


def test_who_is_in_a_party_is_not_invited_to_it_again(site: Site) -> None:
    join(site)
    refused(Code.IS_MEMBER, people.invite, site, ADA, EMAIL, ACME, "read_only")
    refused(Code.IS_MEMBER, people.add, site, ADA, EMAIL, "Joe", ACME, "read_only")
    people.add(site, ADA, EMAIL, "Joe", ACME, "manager")


def test_who_is_removed_is_signed_out_and_signs_in_no_more(site: Site) -> None:
    joined = join(site)
    people.remove(site, ADA, EMAIL, ACME)
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, joined.token)
    refused(Code.WRONG_SIGN_IN, signin.sign_in, site, EMAIL, PASSWORD, HERE)
    refused(Code.NOBODY, people.sign_in_link, site, ADA, EMAIL)
    assert people.listed(site) == []
    refused(Code.NO_MEMBER, people.remove, site, ADA, EMAIL, ACME)


def test_who_is_in_another_party_stays_in_that(site: Site) -> None:
    join(site)
    people.accept(
        site, people.invite(site, ADA, EMAIL, "publisher:homefix", "manager").token, HERE, password=PASSWORD
    )
    people.remove(site, ADA, EMAIL, ACME)
    again = signin.sign_in(site, EMAIL, PASSWORD, HERE)
    assert viewer(site, again).party == Party("publisher", "homefix")


def test_who_was_removed_comes_back_by_a_new_invitation(site: Site) -> None:
    join(site)
    people.remove(site, ADA, EMAIL, ACME)
    token = people.invite(site, ADA, EMAIL, ACME, "read_only").token
    assert not people.invitation(site, token).has_account
    again = people.accept(site, token, HERE, password="a password of today")
    assert viewer(site, again).role == "read_only"


def test_an_invitation_is_taken_back(site: Site) -> None:
    token = people.invite(site, ADA, EMAIL, ACME, "manager").token
    people.remove(site, ADA, EMAIL, ACME)
    refused(Code.LINK_OVER, people.accept, site, token, HERE, password=PASSWORD)


def test_the_exchange_keeps_an_owner(site: Site) -> None:
    join(site, "operator", "owner", "ada@example.com")
    refused(Code.LAST_OWNER, people.remove, site, ADA, "ada@example.com", "operator")
    join(site, "operator", "owner", "bob@example.com")
    people.remove(site, ADA, "ada@example.com", "operator")
    refused(Code.LAST_OWNER, people.remove, site, ADA, "bob@example.com", "operator")
    assert [person.email for person in people.listed(site, OPERATOR)] == ["bob@example.com"]


def test_a_link_signs_in_once_without_a_password(site: Site) -> None:
    people.add(site, ADA, EMAIL, "Joe", ACME, "manager")
    refused(Code.WRONG_SIGN_IN, signin.sign_in, site, EMAIL, "", HERE)
    link = people.sign_in_link(site, ADA, EMAIL)
    assert viewer(site, signin.sign_in_by_link(site, link.token, HERE)).name == EMAIL
    refused(Code.LINK_OVER, signin.sign_in_by_link, site, link.token, HERE)
    old = people.sign_in_link(site, ADA, EMAIL).token
    refused(Code.LINK_OVER, signin.sign_in_by_link, later(site, people.LINK_MS), old, HERE)
    newer = people.sign_in_link(site, ADA, EMAIL).token
    refused(Code.LINK_OVER, signin.sign_in_by_link, site, old, HERE)
    refused(Code.LINK_OVER, people.invitation, site, newer)


def test_a_link_asks_for_the_code_unless_the_authenticator_is_lost(site: Site) -> None:
    joined = join(site)
    enrolled(site, joined)
    link = people.sign_in_link(site, ADA, EMAIL).token
    assert signin.sign_in_by_link(site, link, HERE).awaits_code
    link = people.sign_in_link(site, ADA, EMAIL, drop_authenticator=True).token
    refused(Code.NOT_SIGNED_IN, signin.viewer_of, site, joined.token)
    assert not signin.sign_in_by_link(site, link, HERE).awaits_code


def test_an_invitation_does_not_sign_in(site: Site) -> None:
    token = people.invite(site, ADA, EMAIL, ACME, "manager").token
    refused(Code.LINK_OVER, signin.sign_in_by_link, site, token, HERE)


def test_what_was_done_is_in_the_audit_log_without_any_secret(site: Site) -> None:
    join(site)
    people.sign_in_link(site, ADA, EMAIL)
    people.remove(site, ADA, EMAIL, ACME)
    said = [(entry.actor, entry.use_case, entry.subject) for entry in audit.listed(site, 5)]
    assert said == [
        ("ada", "people.remove", EMAIL),
        ("ada", "people.sign_in_link", EMAIL),
        (EMAIL, "people.sign_in", EMAIL),
        (EMAIL, "people.accept", EMAIL),
        ("ada", "people.invite", EMAIL),
    ]
