"""What is taken from an INVITE, by the rules of its trunk."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from ari_app.domain.calls.carrier import (
    Invite,
    attestation,
    called_number,
    caller_number,
    invite_of,
    number_elsewhere,
    signalled,
    trunk_of,
    unread,
    unread_attestation,
)
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.marketplace import Trunk

DID, ANI, OTHER = "+18005550101", "+12125550142", "+13105550142"
MARKS = "-_.!~*'()"  # that Asterisk does not encode
FROM = ("From", f"<sip:{ANI}@h>;tag=1")


def invite(*headers: tuple[str, str], **fields: str) -> Invite:
    return Invite(**{"request": DID} | fields, headers=headers)


def written(*pairs: tuple[str, str]) -> str:
    """As the dialplan writes it."""
    return "&".join(f"{name}=((({quote(value, safe=MARKS)}" for name, value in pairs)


# The text


def test_an_invite_is_read_as_the_dialplan_writes_it() -> None:
    odd = '"A & B = ))) ,\u00e9" <sip:+12125550142@h>'
    text = written(
        ("request", DID), ("channel", "PJSIP/carrier-1"), ("caller", ANI), ("presentation", "allowed")
    )
    read = invite_of(f"{text}&{written(('From', odd), ('X-DID', ''), ('X-DID', DID))}")
    assert read == Invite(DID, "PJSIP/carrier-1", ANI, "allowed", (("From", odd), ("X-DID", DID)))
    assert read.values("x-did") == [DID]


@pytest.mark.parametrize(
    "text", ["&", "%", "request=%E9%", "=&=", "a=b" * 200, "&x=" * 500, "request=" + "%28" * 900]
)
def test_whatever_text_comes_is_an_invite_that_says_little(text: str) -> None:
    read = invite_of(text)
    assert read is not None
    assert signalled(read, Trunk()).did == ""


def test_no_text_is_no_invite() -> None:
    assert invite_of("") is None


@pytest.mark.parametrize(
    ("channel", "trunk"),
    [("PJSIP/carrier-0000001a", "carrier"), ("PJSIP/a-b-1", "a-b"), ("Local/s@x-1;2", None)],
)
def test_a_trunk_is_its_channels_endpoint(channel: str, trunk: str | None) -> None:
    assert trunk_of(channel) == trunk


# Who was called


@pytest.mark.parametrize(
    "request_", [DID, "8005550101", "0018005550101", "%2B18005550101", f"{DID};npdi=yes;rn=+12129990000"]
)
def test_the_number_in_the_request_line(request_: str) -> None:
    assert called_number(invite(request=request_), Trunk()) == DID


@pytest.mark.parametrize("prefix", ["7742#", "99", "+", "*31*"])
def test_a_prefix_is_taken_off_where_it_is(prefix: str) -> None:
    rules = Trunk(prefix=prefix)
    assert called_number(invite(request=prefix + "18005550101"), rules) == DID
    assert called_number(invite(request="18005550101"), rules) == DID


@pytest.mark.parametrize("place", ["To", "P-Called-Party-ID", "X-DID"])
def test_the_number_in_a_header(place: str) -> None:
    rules = Trunk(number_in=place)
    for value in (f"<sip:{DID}@h>", f"<tel:{DID}>", "sip:8005550101@h"):
        assert called_number(invite((place, value), request="acme-1"), rules) == DID
    assert called_number(invite(request=DID), rules) is None


def test_a_header_of_the_carriers_own_may_have_the_bare_number() -> None:
    assert called_number(invite(("x-did", "1 (800) 555-0101")), Trunk(number_in="X-DID")) == DID


@pytest.mark.parametrize("name", ["Diversion", "History-Info"])
def test_who_diverted_the_call_is_kept_and_never_taken_for_who_was_called(name: str) -> None:
    headers = [(name, f"<sip:{DID}@h>;reason=unconditional\x07"), (name, "x" * 900)]
    call = invite(*headers, request="acme-1")
    told = signalled(call, Trunk())
    assert told.did == ""
    assert (told.diversion or told.history_info) == (f"<sip:{DID}@h>;reason=unconditional", "x" * 200)
    assert number_elsewhere(call, Trunk(), DID.__eq__) is None


@pytest.mark.parametrize(
    ("call", "rules", "where"),
    [
        (invite(("To", f"<sip:{DID}@h>"), request="acme-1"), Trunk(), "To"),
        (invite(("P-Called-Party-ID", f"<sip:{DID}@h>"), request=OTHER), Trunk(), "P-Called-Party-ID"),
        (invite(("X-Called", "8005550101"), request=OTHER), Trunk(), "X-Called"),
        (invite(request=DID), Trunk(number_in="To"), "request"),
        (invite(request="7742#18005550101"), Trunk(), "the request line, behind '7742#'"),
        (invite(("To", f"<sip:{OTHER}@h>"), request=OTHER), Trunk(), None),
    ],
)
def test_a_known_number_that_stands_where_nobody_looks_is_found(
    call: Invite, rules: Trunk, where: str | None
) -> None:
    assert number_elsewhere(call, rules, DID.__eq__) == where


# Who calls


@pytest.mark.parametrize(
    "value",
    ["<sip:2125550142@h>", "<sip:212-555-0142@h>", "<sip:555-0142;phone-context=+1212@h>", f"<tel:{ANI}>"],
)
def test_the_caller_in_from(value: str) -> None:
    assert caller_number(invite(("From", value))) == ANI


@pytest.mark.parametrize(
    "values",
    [
        ["<sip:+13105550142@h>"],
        ["<tel:+13105550142>"],
        ["<sip:+13105550142@h>, <tel:+13105550142>"],
        ['"Bob, Jr." <sip:bob@h>, <tel:+1-310-555-0142>'],
        ["<sip:bob@h>", "<tel:+13105550142>"],
    ],
)
def test_the_caller_whom_the_carrier_asserts(values: list[str]) -> None:
    assert caller_number(invite(FROM, *(("P-Asserted-Identity", value) for value in values))) == OTHER


def test_who_is_asserted_without_a_number_has_none() -> None:
    assert caller_number(invite(FROM, ("P-Asserted-Identity", "<sip:anonymous@anonymous.invalid>"))) is None


@pytest.mark.parametrize("privacy", ["id", "ID", "header;id", "user;critical", "none, id"])
@pytest.mark.parametrize(
    "asserted", [(), (("P-Asserted-Identity", "<sip:+13105550142@h>, <tel:+13105550142>"),)]
)
def test_privacy_is_obeyed(privacy: str, asserted: tuple[tuple[str, str], ...]) -> None:
    assert caller_number(invite(FROM, *asserted, ("Privacy", privacy))) is None


def test_who_wants_no_privacy_has_none() -> None:
    assert caller_number(invite(FROM, ("Privacy", "none"))) == ANI


@pytest.mark.parametrize("privacy", ["full", "uri"])
def test_a_remote_party_that_is_private_is_withheld(privacy: str) -> None:
    remote = f"<sip:{OTHER}@h>;party=calling;privacy={privacy};screen=yes"
    assert caller_number(invite(FROM, ("Remote-Party-ID", remote))) is None
    assert caller_number(invite(FROM, ("Remote-Party-ID", remote.replace(privacy, "off")))) == OTHER


def test_a_dialplan_of_somebodys_own_may_say_who_calls() -> None:
    assert caller_number(invite(FROM, caller=OTHER)) == OTHER
    assert caller_number(invite(caller="2125550142")) == ANI  # no SIP at all
    assert caller_number(invite(FROM, caller=ANI, presentation="prohib_passed_screen")) is None


# Attestation


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("A", "A"), (" B ", "B"), ('"C"', "C"), ("attest=A", "A"), ("TN-Validation-Passed", "A"),
        ("TN-Validation-Passed-B", "B"), ("verstat=TN-Validation-Passed-C", "C"), ("TN-Validation-Failed-A", None),
        ("TN-Validation-Failed", None), ("No-TN-Validation", None), ("AA", None), ("a", None), ("D", None), ("", None),
    ],
)  # fmt: skip
def test_a_level_is_read_in_every_way_that_carriers_write_it(text: str, level: str | None) -> None:
    assert attestation(invite(("P-Attestation-Indicator", text)), Trunk()) == level
    assert attestation(invite(("X-Stir", text)), Trunk(attestation_from="X-Stir")) == level


@pytest.mark.parametrize("name", ["From", "P-Asserted-Identity"])
def test_verstat_stands_in_the_callers_address(name: str) -> None:
    rules = Trunk(attestation_from="verstat")
    assert attestation(invite((name, f"<sip:{ANI};verstat=TN-Validation-Passed-A@h>")), rules) == "A"
    assert attestation(invite((name, f"<tel:{ANI};verstat=TN-Validation-Failed>")), rules) is None


@pytest.mark.parametrize(
    ("header", "where"),
    [
        (("Attestation-Info", "A"), "Attestation-Info"),
        (("X-Carrier-Attest", "attest=B"), "X-Carrier-Attest"),
        (("From", f"<sip:{ANI};verstat=TN-Validation-Passed-A@h>"), "verstat"),
        (("From", f"<sip:{ANI};verstat=No-TN-Validation@h>"), None),
        (("X-Loyalty", "A"), None),
    ],
)
def test_an_attestation_that_stands_where_nobody_looks_is_found(
    header: tuple[str, str], where: str | None
) -> None:
    assert unread_attestation(invite(header), Trunk()) == where
    assert unread_attestation(invite(header, ("P-Attestation-Indicator", "C")), Trunk()) is None


def test_what_stands_where_nobody_looks_is_said_with_the_rule_that_would_look_there() -> None:
    call = invite(
        ("To", f"<sip:{DID}@h>"), ("Attestation-Info", "A"), request="acme-1", channel="PJSIP/acme-1"
    )
    assert dict(unread(call, Trunk(), DID.__eq__)) == {
        EventName.NUMBER_ELSEWHERE: "To; trunks.acme.number_in is request",
        EventName.ATTESTATION_ELSEWHERE: "Attestation-Info; trunks.acme.attestation_from is P-Attestation-Indicator",
    }
    rules = Trunk(number_in="To", attestation_from="Attestation-Info")
    assert dict(unread(call, rules, DID.__eq__)) == {}
