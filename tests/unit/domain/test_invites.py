"""What a leg's INVITE says of its call, whatever a caller has said."""

import re

import pytest

from ari_app.domain.calls.record import CallRecord, PlaceRecord
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.routing.invites import LONGEST_VALUE, Invite, invite

DID, ANI, OTHER = "+18005550101", "+12125550142", "+16465550199"
ALL = frozenset({"call", "campaign", "source", "zip", "answers"})
HOSTILE = [
    "a\r\nX-Evil: yes",
    "a\nVia: SIP/2.0/UDP evil",
    "a\r\n\r\nv=0",
    "\x00\x7f\t",
    '"><sip:evil@evil>;tag=1',
    "a;b=c,d",
    "${CHANNEL(name)}",
    "%0d%0aX: y",
    "naïve ☎\u2028\u0085",
    "'; DROP TABLE calls --",
]
SAFE = re.compile(r"[A-Za-z0-9._~%=;-]+", re.ASCII)


def a_call(**fields):
    return CallRecord(**{"id": "c1", "did": DID, "ani": ANI, "started_at": 0} | fields)


@pytest.mark.parametrize(
    ("rules", "shown", "withheld"),
    [
        (None, ANI, None),
        (Trunk(), ANI, None),
        (Trunk(caller_id="own"), DID, DID),
        (Trunk(caller_id=OTHER), OTHER, OTHER),
    ],
)
def test_a_leg_shows_the_number_that_its_trunk_says_and_nothing_more(rules, shown, withheld):
    assert invite(a_call(), rules, ()) == Invite(shown)
    assert invite(a_call(ani=None), rules, ()) == Invite(withheld)


def test_who_vouches_is_said_apart_from_who_is_shown():
    rules = Trunk(identity="own")
    assert invite(a_call(), rules, ()) == Invite(ANI, False, {"P-Asserted-Identity": f"<tel:{DID}>"})
    rules = Trunk(caller_id="own", identity="pass")
    assert invite(a_call(), rules, ()) == Invite(DID, False, {"P-Asserted-Identity": f"<tel:{ANI}>"})


def test_a_caller_who_withholds_their_number_is_private_where_identity_is_asked_for():
    headers = {"P-Asserted-Identity": f"<tel:{DID}>", "Privacy": "id"}
    assert invite(a_call(ani=None), Trunk(identity="own"), ()) == Invite(None, True, headers)
    assert invite(a_call(ani=None), Trunk(identity="pass"), ()) == Invite(None, True, {"Privacy": "id"})
    assert invite(a_call(ani=None), Trunk(caller_id="own", identity="pass"), ()) == Invite(DID)


@pytest.mark.parametrize("ani", ['+1212"<sip:x>', "+12125550142\r\nX: y", "", "anonymous", "+1212555014２"])
def test_what_is_no_telephone_number_is_withheld(ani):
    said = invite(a_call(ani=ani, did=ani), Trunk(identity="pass"), ())
    assert said == Invite(None, True, {"Privacy": "id"})


def test_a_destination_is_told_what_is_asked_for_where_it_is_known():
    call = a_call(
        campaign="plumbing",
        source="banner 1",
        place=PlaceRecord(zip="10001"),
        answers={"service": "repair", "zip": "10001"},
    )
    assert invite(call, None, ALL).headers == {
        "X-Callrace-Call": "c1",
        "X-Callrace-Campaign": "plumbing",
        "X-Callrace-Source": "banner%201",
        "X-Callrace-Zip": "10001",
        "X-Callrace-Answers": "service=repair;zip=10001",
    }
    assert invite(call, None, {"zip"}).headers == {"X-Callrace-Zip": "10001"}
    assert invite(a_call(), None, ALL).headers == {"X-Callrace-Call": "c1"}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_callers_ends_a_line_or_adds_a_header(text):
    call = a_call(id=text, campaign=text, source=text, place=PlaceRecord(zip=text), answers={text: text})
    headers = invite(call, None, ALL).headers
    assert len(headers) == len(ALL)
    assert all(SAFE.fullmatch(value) for value in headers.values())


def test_what_is_too_long_is_left_out_whole():
    assert invite(a_call(source="x" * LONGEST_VALUE), None, ALL).headers["X-Callrace-Source"]
    assert "X-Callrace-Source" not in invite(a_call(source="é" * LONGEST_VALUE), None, ALL).headers
    answers = {"a": "1", "long": "x" * LONGEST_VALUE, "b": "2"} | {f"n{n}": "y" * 50 for n in range(1000)}
    said = invite(a_call(answers=answers), None, ALL).headers["X-Callrace-Answers"]
    assert said.startswith("a=1;b=2;n0=y")
    assert len(said) <= LONGEST_VALUE
    assert all(re.fullmatch("[a-z0-9]+=[a-z0-9]+", answer) for answer in said.split(";"))
