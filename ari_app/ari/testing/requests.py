"""The requests that the Asterisk in memory carries out, and how it refuses them, in Asterisk's own words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ari_app.ari.testing.phones import ELSEWHERE, NO_ANSWER, NORMAL, Channel, Playback
from ari_app.ari.transport import Request

if TYPE_CHECKING:
    from ari_app.ari.testing.asterisk import Asterisk

UNANSWERED_S = 12.8  # how long an answer is waited for, and then one to the BYE: timer_b in pjsip.conf
_REASONS = {
    "normal": NORMAL, "busy": 17, "congestion": 34, "no_answer": NO_ANSWER, "answered_elsewhere": ELSEWHERE
}  # fmt: skip


class Refused(Exception):
    """Asterisk refuses a request with the HTTP `status` and this `reason`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def carry_out(asterisk: Asterisk, request: Request) -> tuple[int, object]:
    """Carries out a request; returns the status and the body of the answer."""
    for method, pattern, handle in _ROUTES:
        found = re.fullmatch(pattern, request.uri)
        if method == request.method and found:
            try:
                body = handle(asterisk, *found.groups(), dict(request.query or {}))
                body = await body if isinstance(body, Awaitable) else body
            except Refused as refusal:
                return refusal.status, {"message": str(refusal)}
            return (204, None) if body is None else (200, body)
    raise AssertionError(f"this Asterisk knows nothing of {request}")


def _channel(asterisk: Asterisk, channel_id: str) -> Channel:
    if channel_id not in asterisk.channels:
        raise Refused(404, "Channel not found")
    return asterisk.channels[channel_id]


def _ours(asterisk: Asterisk, channel_id: str) -> Channel:
    channel = _channel(asterisk, channel_id)
    if not channel.is_in_app:
        raise Refused(409, "Channel not in Stasis application")
    return channel


def _members(asterisk: Asterisk, bridge_id: str) -> set[str]:
    if bridge_id not in asterisk.bridges:
        raise Refused(404, "Bridge not found")
    return asterisk.bridges[bridge_id]


def info(asterisk: Asterisk, query: dict[str, str]) -> object:
    return {"system": {"version": "22.10.1"}, "status": {"startup_time": asterisk.started}}


def filter_events(asterisk: Asterisk, query: dict[str, str]) -> None:
    return None


def application(asterisk: Asterisk, query: dict[str, str]) -> object:
    channels = asterisk.channels.values()
    ours = [one.id for one in channels if one.is_in_app or one.is_subscribed or not one.app_data]
    return {"name": "callrace", "channel_ids": ours, "bridge_ids": list(asterisk.bridges)}


def subscribe(asterisk: Asterisk, query: dict[str, str]) -> object:
    _channel(asterisk, query["eventSource"].removeprefix("channel:")).is_subscribed = True
    return application(asterisk, query)


def unsubscribe(asterisk: Asterisk, query: dict[str, str]) -> object:
    _channel(asterisk, query["eventSource"].removeprefix("channel:")).is_subscribed = False
    return application(asterisk, query)


def list_channels(asterisk: Asterisk, query: dict[str, str]) -> object:
    return [channel.told() for channel in asterisk.channels.values()]


def list_bridges(asterisk: Asterisk, query: dict[str, str]) -> object:
    return [{"id": name, "channels": sorted(members)} for name, members in asterisk.bridges.items()]


def originate(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> object:
    if channel_id in asterisk.channels:
        raise Refused(409, "Channel with given unique ID already exists")
    phone = asterisk.phones.get(query["endpoint"])
    if phone is None or not phone.is_known:
        raise Refused(500, "Allocation failed")
    if query.get("originator", "") not in asterisk.channels:
        raise Refused(400, "The originator is gone")
    channel = Channel(channel_id, query["endpoint"], "Down", query.get("callerId", ""))
    asterisk.dial(channel, phone, float(query["timeout"]))
    return channel.told()


def answer(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> None:
    _ours(asterisk, channel_id).change_state("Up")


def rtp_statistics(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> object:
    if _channel(asterisk, channel_id).up_at is None:
        raise Refused(404, "RTP info not found")
    return _channel(asterisk, channel_id).rtp_statistics()


def transfer_progress(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> None:
    channel, state = _ours(asterisk, channel_id), query["states"]
    channel.notified.append(state)
    asterisk.tell_transfer(channel, "", {}, state=state)


def hang_up(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> None:
    code = query.get("reason_code")
    cause = int(code) if code is not None else _REASONS[query.get("reason", "normal")]
    asterisk.end(_channel(asterisk, channel_id), cause)


def play(asterisk: Asterisk, channel_id: str, playback_id: str, query: dict[str, str]) -> object:
    asterisk.play(Playback(playback_id, _ours(asterisk, channel_id), query["media"].split(",")))
    return {"id": playback_id, "state": "queued"}


def stop_playing(asterisk: Asterisk, playback_id: str, query: dict[str, str]) -> None:
    if playback_id not in asterisk.playbacks:
        raise Refused(404, "Playback not found")
    asterisk.stop(asterisk.playbacks[playback_id])


def start(asterisk: Asterisk, channel_id: str, what: str, query: dict[str, str]) -> None:
    _ours(asterisk, channel_id).hears = what


def stop(asterisk: Asterisk, channel_id: str, what: str, query: dict[str, str]) -> None:
    channel = _ours(asterisk, channel_id)
    channel.hears = None if channel.hears == what else channel.hears


def go_on(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> None:
    asterisk.go_on(_ours(asterisk, channel_id), query.get("context", ""), query.get("label", ""))


def set_variable(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> None:
    """Known are TIMEOUT(absolute), which ends a channel after so many seconds (0: never), and the question to its
    device: if it answers nothing its channel ends some seconds later."""
    channel = _channel(asterisk, channel_id)
    if query["variable"] == "PJSIP_SEND_SESSION_REFRESH()":
        asterisk.asked.append(channel_id)
        if channel.is_dead:
            asyncio.get_running_loop().call_later(UNANSWERED_S, asterisk.end, channel, NO_ANSWER, 408)
    if query["variable"] == "TIMEOUT(absolute)":
        if channel.timeout is not None:
            channel.timeout.cancel()
        after_s = float(query["value"])
        loop = asyncio.get_running_loop()
        channel.timeout = loop.call_later(after_s, asterisk.end, channel, NORMAL) if after_s else None


def variable(asterisk: Asterisk, channel_id: str, query: dict[str, str]) -> object:
    """What can be read is the address to which a channel's audio goes, and its RTP statistics."""
    channel = _channel(asterisk, channel_id)
    goes_to = channel.audio_goes_to
    if query["variable"] == "CHANNEL(rtcp,all)" and channel.up_at is not None:
        return {"value": channel.rtcp()}
    if query["variable"] != "CHANNEL(rtp,dest)" or goes_to is None:
        raise Refused(500, "Unable to read provided function")
    return {"value": goes_to}


def create_bridge(asterisk: Asterisk, bridge_id: str, query: dict[str, str]) -> object:
    if bridge_id in asterisk.bridges:
        raise Refused(409, f"Bridge with id '{bridge_id}' already exists")
    asterisk.bridges[bridge_id] = set()
    return {"id": bridge_id}


async def put_in(asterisk: Asterisk, bridge_id: str, query: dict[str, str]) -> None:
    """Adds channels to a bridge; a channel that hears a sound is added when the sound is over."""
    members, ids = _members(asterisk, bridge_id), query["channel"].split(",")
    for channel_id in ids:
        if channel_id not in asterisk.channels:
            raise Refused(400, "Channel not found")
        if not asterisk.channels[channel_id].is_in_app:
            raise Refused(422, "Channel not in Stasis application")
    for playback in [one for one in asterisk.playbacks.values() if one.channel.id in ids]:
        await playback.over.wait()
    members.update(one for one in ids if one in asterisk.channels)


def take_out(asterisk: Asterisk, bridge_id: str, query: dict[str, str]) -> None:
    members, ids = _members(asterisk, bridge_id), query["channel"].split(",")
    if not members.issuperset(ids):
        raise Refused(422, "Channel not in this bridge")
    members.difference_update(ids)


def destroy_bridge(asterisk: Asterisk, bridge_id: str, query: dict[str, str]) -> None:
    _members(asterisk, bridge_id)
    del asterisk.bridges[bridge_id]


_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", "asterisk/info", info),
    ("PUT", "applications/[^/]+/eventFilter", filter_events),
    ("GET", "applications/[^/]+", application),
    ("POST", "applications/[^/]+/subscription", subscribe),
    ("DELETE", "applications/[^/]+/subscription", unsubscribe),
    ("GET", "channels", list_channels),
    ("GET", "bridges", list_bridges),
    ("POST", "channels/([^/]+)", originate),
    ("DELETE", "channels/([^/]+)", hang_up),
    ("GET", "channels/([^/]+)/rtp_statistics", rtp_statistics),
    ("POST", "channels/([^/]+)/transfer_progress", transfer_progress),
    ("POST", "channels/([^/]+)/answer", answer),
    ("POST", "channels/([^/]+)/play/([^/]+)", play),
    ("DELETE", "playbacks/([^/]+)", stop_playing),
    ("POST", "channels/([^/]+)/(ring|moh)", start),
    ("DELETE", "channels/([^/]+)/(ring|moh)", stop),
    ("POST", "channels/([^/]+)/variable", set_variable),
    ("GET", "channels/([^/]+)/variable", variable),
    ("POST", "channels/([^/]+)/continue", go_on),
    ("POST", "bridges/([^/]+)", create_bridge),
    ("DELETE", "bridges/([^/]+)", destroy_bridge),
    ("POST", "bridges/([^/]+)/addChannel", put_in),
    ("POST", "bridges/([^/]+)/removeChannel", take_out),
)
