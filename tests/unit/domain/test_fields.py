"""Field types: what a document may say, and what is refused in plain words."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ari_app.domain.basics import fields

IN_A_DOCUMENT = {"currency": "USD"}


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value, context=IN_A_DOCUMENT)


def refusal(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    [error] = caught.value.errors()
    assert error["type"] == "value_error"
    return str(error["ctx"]["error"])


@pytest.mark.parametrize(
    ("text", "ms"),
    [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("30d", 2_592_000_000), ("0s", 0)],
)
def test_a_duration_has_a_unit(text: str, ms: int) -> None:
    assert read(fields.DurationMs, text) == ms


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0s"), (1, "1ms"), (1_500, "1500ms"), (90_000, "90s"), (7_200_000, "2h")]
)
def test_a_duration_is_written_in_the_largest_exact_unit(ms: int, text: str) -> None:
    assert fields.format_duration(ms) == text


@pytest.mark.parametrize("value", ["30", "s", "-1s", "1.5s", "1h30m", "30 s", "", None, True, "9999d"])
def test_what_is_no_duration_is_refused(value: object) -> None:
    assert refusal(fields.DurationMs, value).startswith("expected a duration")


def test_a_bare_number_is_no_duration_and_the_refusal_hints_at_the_unit() -> None:
    assert refusal(fields.DurationMs, 30) == 'expected a duration with its unit, such as "30s"'


def test_a_positive_duration_is_more_than_nothing() -> None:
    assert refusal(fields.PositiveMs, "0s") == "expected a duration of more than 0"


def test_a_record_made_in_python_already_holds_minor_units_and_milliseconds() -> None:
    assert TypeAdapter(fields.Amount).validate_python(4200) == 4200
    assert TypeAdapter(fields.DurationMs).validate_python(30_000) == 30_000


@pytest.mark.parametrize("value", [-1, 1.5, True, "1"])
def test_a_record_made_in_python_refuses_what_is_no_whole_number(value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(fields.Amount).validate_python(value)


@pytest.mark.parametrize("value", ["+12125550123", "+442079460123", "+8613800138000"])
def test_a_phone_number_is_e164(value: str) -> None:
    assert read(fields.E164, value) == value


@pytest.mark.parametrize(
    "value",
    ["12125550123", "+1 212 555 0123", "+02125550123", "+1", "+1212555012345678", "+1212555012x", "+1\n"],
)
def test_what_is_no_e164_number_is_refused(value: str) -> None:
    assert "expected a phone number" in refusal(fields.E164, value)


def test_a_phone_number_that_yaml_read_as_a_number_is_refused_with_a_hint_to_quote_it() -> None:
    assert "in quotes" in refusal(fields.E164, 12125550123)


@pytest.mark.parametrize("value", ["agent-1", "a", "1", "a" * 64])
def test_an_id_is_a_slug(value: str) -> None:
    assert read(fields.Id, value) == value


@pytest.mark.parametrize("value", ["", "Agent", "agent_1", "-a", "a" * 65, "a/b", "a b", "a&b", "é", "a\n"])
def test_what_is_no_slug_is_refused(value: str) -> None:
    assert "expected an id" in refusal(fields.Id, value)


@pytest.mark.parametrize(
    "value",
    [
        "sound:vm-goodbye",
        "sound:digits/1",
        "file:welcome.wav",
        "file:acme/welcome_2.wav",
        "tts:For a repair, press 1. Señor & co: 50 % off!",
    ],
)
def test_a_prompt_is_a_sound_a_file_or_text(value: str) -> None:
    assert read(fields.Prompt, value) == value


@pytest.mark.parametrize(
    "value",
    [
        "vm-goodbye",
        "sound:",
        "sound:../../etc/passwd",
        "sound:/etc/passwd",
        "sound:a&b",
        "sound:a b",
        "sound:a//b",
        "file:../secret.wav",
        "file:a/../b.wav",
        "file:/etc/passwd",
        "file:.hidden",
        "file:a/.hidden/b",
        "file:a\x00.wav",
        "tts:",
        "tts:   ",
        "tts:one\ntwo",
        "tts:" + "x" * 1001,
        "http://example.com/a.wav",
        7,
    ],
)
def test_a_prompt_that_could_reach_elsewhere_is_refused(value: object) -> None:
    assert "expected a prompt" in refusal(fields.Prompt, value)


@pytest.mark.parametrize(
    "value",
    [
        "sip:agent-1@127.0.0.1",
        "sip:agent-1@127.0.0.1:5071",
        "sip:+12125550123@pbx.example.com;transport=tcp",
        "sip:a.b_c@pbx:65535;transport=tls",
    ],
)
def test_a_sip_uri_is_a_user_at_a_host(value: str) -> None:
    assert read(fields.SipUri, value) == value


@pytest.mark.parametrize(
    "value",
    [
        "sips:a@b",
        "sip:a",
        "sip:@b",
        "sip:a@b:0",
        "sip:a@b:65536",
        "sip:a@b;transport=ws",
        "sip:a@b;lr",
        "sip:a@b&PJSIP/c",
        "sip:a&b@c",
        "sip:a,b@c",
        "sip:a@b/c",
        "sip:a^b@c",
        "sip:a b@c",
        "sip:${X}@c",
        "sip:a@b?Replaces=x",
        "sip:a@b\r\nVia: x",
        "sip:a@b@c",
        None,
    ],
)
def test_a_sip_uri_that_could_change_a_dial_string_is_refused(value: object) -> None:
    assert "expected a SIP URI" in refusal(fields.SipUri, value)


@pytest.mark.parametrize("value", ["NY", "DC", "PR", "GU", "ON", "QC"])
def test_a_state_may_be_a_territory_or_a_province(value: str) -> None:
    assert read(fields.StateCode, value) == value


@pytest.mark.parametrize("value", ["XX", "ny", "New York", "", 5])
def test_what_is_no_state_is_refused(value: object) -> None:
    assert "expected a state" in refusal(fields.StateCode, value)


@pytest.mark.parametrize("value", [True, False])
def test_ontario_that_yaml_read_as_true_is_refused_with_a_hint_to_quote_it(value: bool) -> None:
    assert 'in quotes, such as "ON"' in refusal(fields.StateCode, value)


@pytest.mark.parametrize("value", ["1000", "100011", "1000a", "10001-1234", "١٠٠٠١"])
def test_a_zip_code_has_five_digits(value: str) -> None:
    assert "five digits" in refusal(fields.ZipCode, value)


def test_a_zip_code_that_yaml_read_as_a_number_is_refused_with_a_hint_to_quote_it() -> None:
    assert "in quotes" in refusal(fields.ZipCode, 10001)


@pytest.mark.parametrize("value", ["America/Newyork", "EST5", "../etc/passwd", "", None])
def test_what_is_no_time_zone_is_refused(value: object) -> None:
    assert "expected a time zone" in refusal(fields.TimeZone, value)


@pytest.mark.parametrize("value", [True, 0, 1001, "1", 1.0])
def test_a_count_is_a_whole_number_within_its_bounds(value: object) -> None:
    with pytest.raises(ValueError, match="from 1 to 1000"):
        fields.whole_between(1, 1000).func(value)


@pytest.mark.parametrize("value", [0, -1, 501, float("nan"), float("inf"), True, "50"])
def test_a_radius_is_a_sensible_number_of_miles(value: object) -> None:
    assert "number of miles" in refusal(fields.Miles, value)


@pytest.mark.parametrize("value", ["", "  ", "a\nb", "x" * 201, None])
def test_text_is_one_line_that_says_something(value: object) -> None:
    assert "expected text" in refusal(fields.Text, value)


@pytest.mark.parametrize(
    ("value", "is_pattern"), [("+1900*", True), ("+12125550123", True), ("*", False), ("1900*", False)]
)
def test_a_block_entry_is_a_number_or_a_prefix_with_a_star(value: str, is_pattern: bool) -> None:
    if is_pattern:
        assert read(fields.CallerPattern, value) == value
    else:
        assert "prefix" in refusal(fields.CallerPattern, value)
