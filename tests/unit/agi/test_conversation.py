"""What is understood of Asterisk's words, and what is never said to it."""

from __future__ import annotations

import contextlib
import re
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi.conversation import HEADER_LINES, Conversation, ProtocolError, Request
from tests.unit.agi.asterisk import header


def asked(*arguments: str) -> Request:
    return Conversation(header("route", *arguments)).request


def test_a_request_is_the_service_the_number_called_and_the_caller() -> None:
    request = asked("+18005550101", "+12125550142")
    assert (request.service, request.did, request.ani) == ("route", "+18005550101", "+12125550142")


def test_what_is_no_number_is_nothing() -> None:
    for request in (asked("500&PJSIP/900", "anonymous"), asked()):
        assert (request.did, request.ani) == (None, None)


@pytest.mark.parametrize("number", ["+18005550101 ", "+1800٥550101", "+18005550101\r", "+" + "1" * 16])
def test_a_number_with_anything_beside_its_digits_is_never_passed_on(number: str) -> None:
    assert asked(number).did in (None, number.strip())


@pytest.mark.parametrize(
    "garbage", [b"\n\n", b"GET / HTTP/1.1\n\n", b"\xff\xfe\x00\n\n", b"agi_network: yes\r\n\n\n"]
)
def test_a_header_that_is_not_asterisks_is_refused(garbage: bytes) -> None:
    with pytest.raises(ProtocolError):
        Conversation(garbage)


def test_a_header_of_very_many_lines_is_refused() -> None:
    with pytest.raises(ProtocolError):
        Conversation(b"agi_network: yes\n" + b"x\n" * HEADER_LINES + b"\n")


def test_bytes_that_are_no_text_do_not_break_the_header() -> None:
    sent = header("route", "+18005550101").replace(b"unknown", b"\xff\xfe\x00:")
    assert Conversation(sent).request.did == "+18005550101"


def test_variables_are_set_in_the_words_of_agi() -> None:
    command = Conversation(header()).set_variables({"CALLRACE_ZIP": "10001", "CALLRACE_STATE": ""})
    assert command == b'EXEC MSet "CALLRACE_ZIP=10001,CALLRACE_STATE="\n'


@pytest.mark.parametrize(
    "value", ['a"b', "a\nHANGUP", "${SHELL(id)}", "a,b", "a(b)", "a\\b", "$[1+1]", "é", "a^b"]
)
def test_a_value_that_could_mean_something_is_never_said(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be the value"):
        Conversation(header()).set_variables({"CALLRACE_SOURCE": value})


def test_a_name_that_is_not_plain_is_never_said() -> None:
    with pytest.raises(ValueError, match="cannot be the value"):
        Conversation(header()).set_variables({"CHANNEL(language)": "de"})


def test_a_command_longer_than_asterisk_reads_is_never_said() -> None:
    with pytest.raises(ValueError, match="too long"):
        Conversation(header()).set_variables({"CALLRACE_DIAL": "x" * 2_000})


def test_a_command_that_was_carried_out_is_no_error() -> None:
    Conversation(header()).check(b"200 result=0\n")


@pytest.mark.parametrize(
    "reply",
    [
        b"200 result=-1\n",
        b"200 result=-2\n",  # there is no such application
        b"200 result=1 (hangup)\n",
        b"HANGUP\n",
        b"510 Invalid or unknown command\n",
        b"511 Command Not Permitted on a dead channel or intercept routine\n",
        b"520-Invalid command syntax.  Proper usage follows:\n",  # pyst2 would wait for ever for its end
        b"no code at all\n",
        b"\n",
        b"200 result=1 (a) (b)\n",
        b"\xff\xfe\n",
    ],
)
def test_any_other_reply_ends_the_conversation(reply: bytes) -> None:
    with pytest.raises(ProtocolError):
        Conversation(header()).check(reply)


def test_a_sighup_keeps_its_meaning_for_the_process() -> None:
    before = signal.getsignal(signal.SIGHUP)
    Conversation(header())
    assert signal.getsignal(signal.SIGHUP) is before


@given(st.binary(max_size=300))
def test_whatever_is_sent_a_number_is_strict_or_nothing(sent: bytes) -> None:
    request = Conversation(b"agi_network: yes\n" + sent.replace(b"\n\n", b"\n") + b"\n\n").request
    for number in (request.did, request.ani):
        assert number is None or re.fullmatch(r"\+[0-9]{7,15}", number)


@given(st.binary(max_size=300))
def test_whatever_is_replied_is_a_success_or_ends_the_conversation(reply: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        Conversation(header()).check(reply)
