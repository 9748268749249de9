"""Addresses in SIP headers, as carriers and others write them."""

from __future__ import annotations

import pytest

from ari_app.domain.calls.sipaddress import addresses, user_of


@pytest.mark.parametrize(
    ("value", "users"),
    [
        ("<sip:+12125550142@carrier.example>;tag=1", ["+12125550142"]),
        ('"Bob, of Acme <x>" <sip:2125550142@h>', ["2125550142"]),
        (r'"Bob \" <sip:1@h>" <sip:2125550142@h>', ["2125550142"]),
        ("Bob <sip:(212)%20555-0142@h>", ["(212) 555-0142"]),
        ("sip:2125550142@h;tag=1", ["2125550142"]),
        ("SIPS:2125550142:secret@h", ["2125550142"]),
        ("<sip:2125550142;npdi=yes;rn=+1555@h;user=phone>", ["2125550142"]),
        ("<tel:+1-212-555-0142;phone-context=x>", ["+1-212-555-0142"]),
        ("<sip:1@h>, <tel:2>,<sip:3@h>", ["1", "2", "3"]),
        ("<sip:a,b@h>,<sip:2@h>", ["a,b", "2"]),
        ("<sip:carrier.example>", [""]),
        ("<mailto:bob@h>", [""]),
        ('"unfinished <sip:1@h>', [""]),
        ("<sip:1@h", ["1"]),
        ("", [""]),
        (",", ["", ""]),
        ("\\", [""]),
        ('"\\', [""]),
    ],
)
def test_the_users_of_a_header(value: str, users: list[str]) -> None:
    assert [address.user for address in addresses(value)] == users


def test_parameters_of_the_number_and_of_the_header_are_told_apart() -> None:
    value = '<sip:2125550142;Verstat=TN-Validation-Passed-A;phone-context=%2B1@h>;privacy="full"'
    [address] = addresses(value)
    assert address.parameters["verstat"] == "TN-Validation-Passed-A"
    assert address.context == "+1"
    assert address.header_parameters == {"privacy": "full"}


def test_a_request_lines_user_is_cut_from_its_parameters() -> None:
    assert user_of("%2B18005550101;npdi=yes;rn=+12129990000").user == "+18005550101"
