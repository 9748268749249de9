"""Asterisk's messages become small typed records."""

import pytest

from ari_app.ari import events
from ari_app.ari.events import parse
from tests.unit.ari.fakes import WHEN, WHEN_MS, event

BRIDGE = {"id": "b1", "channels": []}
PLAYBACK = {"id": "p1", "media_uri": "sound:hello-world", "state": "done"}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            event("StasisStart", args=["in", "+18005550101", ""]),
            events.StasisStart(
                WHEN_MS,
                channel_id="c1",
                args=("in", "+18005550101", ""),
                caller_number="+12125550123",
                caller_name="Ann",
                channel_name="PJSIP/carrier-c1",
                extension="+18005550101",
                state="Up",
            ),
        ),
        (event("StasisEnd"), events.StasisEnd(WHEN_MS, "c1")),
        (event("ChannelStateChange"), events.ChannelStateChange(WHEN_MS, "c1", "Up")),
        (event("ChannelHangupRequest", cause=16), events.ChannelHangupRequest(WHEN_MS, "c1", 16)),
        (event("ChannelHangupRequest"), events.ChannelHangupRequest(WHEN_MS, "c1", 0)),
        (
            event("ChannelDestroyed", cause=26, cause_txt="Answered elsewhere"),
            events.ChannelDestroyed(WHEN_MS, "c1", 26, "Answered elsewhere"),
        ),
        (
            event("ChannelDestroyed", cause=21, cause_txt="Call Rejected", tech_cause=603),
            events.ChannelDestroyed(WHEN_MS, "c1", 21, "Call Rejected", 603),
        ),
        (
            event("ChannelDestroyed", cause=23, cause_txt="Redirected", tech_cause=302),
            events.ChannelDestroyed(WHEN_MS, "c1", 23, "Redirected", 302),
        ),
        (
            event("Dial", peer={"id": "c1"}, dialstatus="CANCEL", forward="+12125550199"),
            events.Dialled(WHEN_MS, "c1", "CANCEL", "+12125550199"),
        ),
        (
            event("Dial", peer={"id": "c1"}, dialstatus="PROGRESS"),
            events.Dialled(WHEN_MS, "c1", "PROGRESS", ""),
        ),
        (
            event("ChannelDtmfReceived", digit="#", duration_ms=120),
            events.ChannelDtmfReceived(WHEN_MS, "c1", "#", 120),
        ),
        (event("ChannelEnteredBridge", bridge=BRIDGE), events.ChannelEnteredBridge(WHEN_MS, "c1", "b1")),
        (event("ChannelLeftBridge", bridge=BRIDGE), events.ChannelLeftBridge(WHEN_MS, "c1", "b1")),
    ],
)
def test_an_event_of_a_channel_is_routed_by_the_channel(message, expected):
    assert parse(message) == ("c1", expected)


@pytest.mark.parametrize("kind", ["StasisEnd", "ChannelDestroyed"])
def test_the_end_of_a_channel_tells_what_its_line_carried(kind):
    message = event(kind, cause=16, cause_txt="")
    message["channel"]["channelvars"] = {"RTPAUDIOQOS": "rxcount=1"}

    _, ended = parse(message)

    assert ended.rtp == "rxcount=1"


def test_an_event_of_a_bridge_is_routed_by_the_bridge():
    message = {"type": "BridgeDestroyed", "timestamp": WHEN, "bridge": BRIDGE}

    assert parse(message) == ("b1", events.BridgeDestroyed(WHEN_MS, "b1"))


@pytest.mark.parametrize(("state", "failed"), [("done", False), ("failed", True)])
def test_a_playback_that_found_no_sound_says_so(state, failed):
    message = {"type": "PlaybackFinished", "timestamp": WHEN, "playback": PLAYBACK | {"state": state}}

    assert parse(message) == ("p1", events.PlaybackFinished(WHEN_MS, "p1", failed))


def test_a_takeover_of_the_application_is_an_event():
    message = {"type": "ApplicationReplaced", "timestamp": WHEN, "application": "callrace"}

    assert parse(message) == ("callrace", events.Replaced(WHEN_MS))


def test_an_event_of_a_type_that_is_not_in_use_is_ignored():
    assert parse(event("ChannelVarset", variable="X", value="1")) is None


def test_the_time_is_asterisks_whatever_its_zone_to_the_millisecond():
    _, parsed = parse(event("StasisEnd") | {"timestamp": "2026-11-23T13:59:49.922-0500"})

    assert parsed.at_ms == WHEN_MS


@pytest.mark.parametrize(
    "message",
    [
        [],
        {},
        {"type": "StasisEnd"},
        {"type": "StasisEnd", "timestamp": WHEN},
        {"type": "StasisEnd", "timestamp": "yesterday", "channel": {"id": "c1"}},
        {"type": "StasisEnd", "timestamp": 5, "channel": {"id": "c1"}},
        {"type": "StasisEnd", "timestamp": WHEN, "channel": None},
        {"type": "StasisEnd", "timestamp": WHEN, "channel": {"id": ["c1"]}},
        {"type": ["StasisEnd"], "timestamp": WHEN},
    ],
)
def test_a_message_that_is_not_as_documented_is_an_error(message):
    with pytest.raises((KeyError, TypeError, ValueError)):
        parse(message)


def test_every_default_event_can_be_read():
    assert set(events.DEFAULT_EVENTS) <= set(events.EVENT_TYPES)
