"""What an agent is told of a call before accepting it."""

from __future__ import annotations

import pytest
import yaml

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.ivr.whisper import heard
from tests.kit.market import marketplace

WHISPER = "tts:Plumbing. {service}, in {state}. {zip}."
INTAKE = {
    "start": "service",
    "nodes": {
        "service": {
            "menu": {"prompt": "sound:beep"},
            "choices": {
                "1": {"set": {"service": "repair"}, "next": "zip"},
                "2": {"set": {"service": "install"}, "next": "zip"},
            },
        },
        "zip": {"collect": {"prompt": "sound:beep", "digits": 5, "as": "zip"}, "next": "offer"},
        "offer": {"offer": True},
    },
}


def document(whisper: str = WHISPER, **route: object) -> str:
    agents = {"agent": "sip:agent@127.0.0.1:5999"}
    return yaml.safe_dump(marketplace(agents, flow=INTAKE, whisper=whisper, **route), sort_keys=False)


def test_every_part_is_a_prompt_and_digits_are_said_one_by_one():
    assert heard(WHISPER, {"service": "repair", "zip": "10001"}, "NY") == [
        "tts:Plumbing.",
        "tts:repair",
        "tts:, in",
        "tts:New York",
        "sound:digits/1",
        "sound:digits/0",
        "sound:digits/0",
        "sound:digits/0",
        "sound:digits/1",
    ]


def test_what_is_not_known_is_left_out():
    assert heard(WHISPER, {}, None) == ["tts:Plumbing.", "tts:, in"]


def test_everything_that_may_be_said_is_rendered_when_the_marketplace_is_applied():
    prompts = prompts_of(parse(document(), "test.yaml"))
    for service in ("repair", "install"):
        for state in ("NY", "PR"):
            assert set(heard(WHISPER, {"service": service, "zip": "98765"}, state)) <= prompts


@pytest.mark.parametrize(
    ("whisper", "route", "complaint"),
    [
        ("tts:{trade}", {}, "'{trade}' is no answer of the campaign's flow, nor {state}"),
        (WHISPER, {"accept": "answer"}, "expected accept: press-1"),
        ("sound:beep", {}, "expected speech such as"),
    ],
)
def test_a_whisper_that_cannot_be_said_is_refused(whisper, route, complaint):
    with pytest.raises(DocumentError) as refused:
        parse(document(whisper, **route), "test.yaml")
    assert complaint in str(refused.value)
