"""The log: the call's id on every line about it, and nobody's whole number."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys

import pytest

from ari_app import logs
from ari_app.logs import JsonLines, Logfmt, mask
from ari_app.settings import Settings, SettingsError


def line(message: str, *args: object, exc_info: object = None, **fields: object) -> logging.LogRecord:
    record = logging.LogRecord("ari_app.x", logging.INFO, "x.py", 1, message, args, exc_info)  # type: ignore[arg-type]
    record.__dict__.update(logs.fields(**fields))
    return record


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+12125550142", "+1212555****"),
        ("ani=+442071838750.", "ani=+44207183****."),
        ("PJSIP/+12125550123@main: refused", "PJSIP/+1212555****@main: refused"),
        ("channels?callerId=%2B12125550142", "channels?callerId=%2B1212555****"),
        ("from 2125550142, then 12125550142", "from 212555****, then 1212555****"),
        ('{"number": "2125550142"}', '{"number": "212555****"}'),
    ],
)
def test_a_phone_number_loses_its_last_four_digits(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "019aa8c1d2e00aabbccddee",  # a call's id
        "channel 1763900000.42",  # Asterisk's
        "at 1763900000000 ms",
        "sip:agent-1@127.0.0.1:5071",
        "ZIP 10001, extension 2001",
    ],
)
def test_other_digits_stay(text: str) -> None:
    assert mask(text) == text


def test_a_logfmt_line_has_the_call_before_the_message_and_values_after_it() -> None:
    text = Logfmt().format(line("call ended", call="019a", disposition="no_answer", winner=None, paid=0))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} level=INFO logger=ari_app\.x call=019a "
        r"call ended disposition=no_answer paid=0",
        text,
    )


def test_a_value_cannot_pass_for_another_or_for_a_line() -> None:
    text = Logfmt().format(line("said %s", "a\nlevel=ERROR", did="x y", ani='" paid=1'))
    assert text.endswith(r'said a\nlevel=ERROR did="x y" ani="\" paid=1"')


def test_a_json_line_is_an_object_whose_numbers_stay_numbers() -> None:
    told = json.loads(
        JsonLines().format(line("from %s", "+12125550142", call="019a", ani="+12125550142", paid=2125550142))
    )
    assert told.pop("at").endswith("+00:00")
    assert told == {
        "level": "INFO",
        "logger": "ari_app.x",
        "message": "from +1212555****",
        "call": "019a",
        "ani": "+1212555****",
        "paid": 2125550142,
    }  # fmt: skip


@pytest.mark.parametrize("formatter", [Logfmt(), JsonLines()])
def test_a_traceback_is_masked_too(formatter: logging.Formatter) -> None:
    try:
        raise ValueError("+12125550142 is no number")
    except ValueError:
        text = formatter.format(line("broke", exc_info=sys.exc_info()))
    assert "+1212555****" in text
    assert "5550142" not in text


async def test_what_a_calls_task_and_its_own_tasks_log_is_about_the_call() -> None:
    seen: list[str] = []

    async def part() -> None:
        seen.append(Logfmt().format(line("part")))

    async def call(name: str) -> None:
        logs.begin(name)
        await asyncio.create_task(part())

    await asyncio.gather(asyncio.create_task(call("first")), asyncio.create_task(call("second")))
    assert ["call=first" in seen[0], "call=second" in seen[1]] == [True, True]
    assert "call=" not in Logfmt().format(line("outside"))


def test_the_environment_chooses_the_format() -> None:
    assert Settings.from_env({}).log_format == "logfmt"
    assert Settings.from_env({"CALLRACE_LOG": "json"}).log_format == "json"
    with pytest.raises(SettingsError, match="CALLRACE_LOG: expected logfmt or json, got 'xml'"):
        Settings.from_env({"CALLRACE_LOG": "xml"})


def test_the_environment_chooses_the_port_of_the_metrics_or_none() -> None:
    assert Settings.from_env({}).metrics_port == 9464
    assert Settings.from_env({"CALLRACE_METRICS_PORT": "0"}).metrics_port == 0
    with pytest.raises(SettingsError, match="CALLRACE_METRICS_PORT"):
        Settings.from_env({"CALLRACE_METRICS_PORT": "-1"})
