"""The events that Asterisk sends: one small record for each type in use.

`at_ms` is when the event happened, in milliseconds since the epoch. It is Asterisk's timestamp, converted to this
machine's clock if `parse` has `ours`. Asterisk sends about thirty events a call, with many fields: only those in use
are kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at `at_ms`."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class StasisStart(Event):
    """A channel entered the application. For a channel that we originated, this means it was answered.

    `args` are the application arguments, from the dialplan's Stasis() or from `originate`.
    `caller_number` is empty when unknown; `extension` is the dialplan's (the number dialled). `replaces`: the channel
    whose place in its bridge this one has taken, by an INVITE with Replaces (RFC 3891); None as a rule.
    """

    channel_id: str
    args: tuple[str, ...]
    caller_number: str
    caller_name: str
    channel_name: str
    extension: str
    state: str
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class StasisEnd(Event):
    """A channel left the application: it was hung up, or went back to the dialplan. `rtp` as in ChannelDestroyed."""

    channel_id: str
    rtp: str = ""


@dataclass(frozen=True, slots=True)
class ChannelStateChange(Event):
    """A channel's state is now `state`: Ringing, Up, ..."""

    channel_id: str
    state: str


@dataclass(frozen=True, slots=True)
class ChannelHangupRequest(Event):
    """Somebody is hanging up the channel; `cause` is the Q.850 cause, 0 when none is given."""

    channel_id: str
    cause: int


@dataclass(frozen=True, slots=True)
class ChannelDestroyed(Event):
    """A channel is gone, for the Q.850 `cause` (16 normal, 17 busy, 19 no answer, 26 answered elsewhere).

    0: Asterisk knows no cause ("Unknown"), as where a phone hangs up in Stasis before it is in a bridge, or where it
    redirects the call; it says nothing of how the call went. None: the channel ended during a break of the connection.
    `tech_cause`: the status of the SIP response that ended the channel, such as 503; None if no response ended it.
    `rtp`: the variable RTPAUDIOQOS, Asterisk's RTP statistics of the channel. It is empty if there was no RTP, or if
    ari.conf lacks `channelvars = RTPAUDIOQOS`.
    """

    channel_id: str
    cause: int | None
    cause_txt: str
    tech_cause: int | None = None
    rtp: str = ""


@dataclass(frozen=True, slots=True)
class Dialled(Event):
    """A phone rings (`status` RINGING for 180, PROGRESS for 183), or redirects the call (302).

    `forward`: the user part of the address to which it redirects; empty if it rings. What else Asterisk says of
    dialling is left out: other events tell who answered, and who is gone.
    """

    channel_id: str
    status: str
    forward: str


@dataclass(frozen=True, slots=True)
class ChannelDtmfReceived(Event):
    """A key was pressed and released. The event comes at the release; `duration_ms` is how long the key was down."""

    channel_id: str
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class ChannelTransfer(Event):
    """A phone sent REFER, and its channel's transfers are ours (PJSIP_TRANSFER_HANDLING: ari-only).

    `to`: the user part of the address in Refer-To. `replaces`: the id of the channel that is to be replaced, empty if
    Asterisk has none; None: there is none to replace, it is a blind transfer. `state`: what the phone was told by
    `transfer_progress`; None: it has asked. It may ask once more as it hangs up.
    """

    channel_id: str
    to: str
    replaces: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelHold(Event):
    """A channel's party put the other side on hold."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class ChannelUnhold(Event):
    """A channel's party took the other side off hold."""

    channel_id: str


@dataclass(frozen=True, slots=True)
class ChannelEnteredBridge(Event):
    """A channel joined a bridge."""

    channel_id: str
    bridge_id: str


@dataclass(frozen=True, slots=True)
class ChannelLeftBridge(Event):
    """A channel left a bridge."""

    channel_id: str
    bridge_id: str


@dataclass(frozen=True, slots=True)
class BridgeDestroyed(Event):
    """A bridge is gone."""

    bridge_id: str


@dataclass(frozen=True, slots=True)
class PlaybackFinished(Event):
    """A playback ended: it was played to its end or stopped (Asterisk does not say which), or it `failed`."""

    playback_id: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Disconnected(Event):
    """The event connection is lost. Events from now until Reconnected are lost. Put into every inbox.

    `at_ms` is when Asterisk was last heard: events since then may be lost, too.
    """


@dataclass(frozen=True, slots=True)
class Reconnected(Event):
    """Events arrive again. Ask Asterisk what still exists: `applications.get()`. Put into every inbox.

    `restarted`: it is another Asterisk process than before, so nothing exists any more.
    """

    restarted: bool = False


@dataclass(frozen=True, slots=True)
class Replaced(Event):
    """Another instance took over the application: every request will be refused. Put into every inbox."""


# An event, with the id of the channel, bridge or playback that it concerns.
Routed = tuple[str, Event]


_RINGS = frozenset({"RINGING", "PROGRESS"})


def parse(message: dict[str, Any], ours: Callable[[int], int] = lambda told_ms: told_ms) -> Routed | None:
    """The event in a message from Asterisk; None for one that is not in use.

    `ours` converts Asterisk's time to this machine's (`RemoteClock.ours`). Raises KeyError, TypeError or ValueError for
    a message that does not have the documented form.
    """
    read = _READERS.get(message["type"])
    if read is None or (read is _dialled and not _is_news(message)):
        return None
    # round: a float can be slightly less than the whole millisecond.
    told_ms = round(datetime.fromisoformat(message["timestamp"]).timestamp() * 1000)
    routed = read(message, ours(told_ms))
    if not isinstance(routed[0], str):
        raise TypeError(f"an id is a string, not {routed[0]!r}")
    return routed


def now_ms() -> int:
    """The time now, in milliseconds since the epoch, as in events."""
    return time.time_ns() // 1_000_000


def _stasis_start(message: dict[str, Any], at_ms: int) -> Routed:
    """For whose channel was replaced, where one was."""
    channel = message["channel"]
    caller = channel["caller"]
    replaces = message["replace_channel"]["id"] if "replace_channel" in message else None
    return replaces or channel["id"], StasisStart(
        at_ms,
        channel["id"],
        tuple(message["args"]),
        caller["number"],
        caller["name"],
        channel["name"],
        channel["dialplan"]["exten"],
        channel["state"],
        replaces,
    )


def _stasis_end(message: dict[str, Any], at_ms: int) -> Routed:
    channel = message["channel"]
    return channel["id"], StasisEnd(at_ms, channel["id"], _rtp(channel))


def _channel_state_change(message: dict[str, Any], at_ms: int) -> Routed:
    channel = message["channel"]
    return channel["id"], ChannelStateChange(at_ms, channel["id"], channel["state"])


def _channel_hangup_request(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["channel"]["id"]
    return channel_id, ChannelHangupRequest(at_ms, channel_id, message.get("cause", 0))


def _channel_destroyed(message: dict[str, Any], at_ms: int) -> Routed:
    channel = message["channel"]
    cause = message["cause"], message["cause_txt"], message.get("tech_cause")
    return channel["id"], ChannelDestroyed(at_ms, channel["id"], *cause, _rtp(channel))


def _rtp(channel: dict[str, Any]) -> str:
    return str(channel.get("channelvars", {}).get("RTPAUDIOQOS", ""))


def _is_news(message: dict[str, Any]) -> bool:
    """Whether a Dial event is a `Dialled`. Most are not: three come for each leg, and two of them tell nothing new."""
    return message["dialstatus"] in _RINGS or bool(message.get("forward"))


def _dialled(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["peer"]["id"]
    return channel_id, Dialled(at_ms, channel_id, message["dialstatus"], message.get("forward", ""))


def _channel_dtmf_received(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["channel"]["id"]
    return channel_id, ChannelDtmfReceived(at_ms, channel_id, message["digit"], message["duration_ms"])


def _channel_transfer(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id, to = message["referred_by"]["source_channel"]["id"], message["refer_to"]
    wanted = to["requested_destination"]
    other = to.get("destination_channel", {}).get("id", "") if "protocol_id" in wanted else None
    return channel_id, ChannelTransfer(at_ms, channel_id, wanted["destination"], other, message.get("state"))


def _channel_hold(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["channel"]["id"]
    return channel_id, ChannelHold(at_ms, channel_id)


def _channel_unhold(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["channel"]["id"]
    return channel_id, ChannelUnhold(at_ms, channel_id)


def _channel_entered_bridge(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["channel"]["id"]
    return channel_id, ChannelEnteredBridge(at_ms, channel_id, message["bridge"]["id"])


def _channel_left_bridge(message: dict[str, Any], at_ms: int) -> Routed:
    channel_id = message["channel"]["id"]
    return channel_id, ChannelLeftBridge(at_ms, channel_id, message["bridge"]["id"])


def _bridge_destroyed(message: dict[str, Any], at_ms: int) -> Routed:
    bridge_id = message["bridge"]["id"]
    return bridge_id, BridgeDestroyed(at_ms, bridge_id)


def _playback_finished(message: dict[str, Any], at_ms: int) -> Routed:
    playback = message["playback"]
    return playback["id"], PlaybackFinished(at_ms, playback["id"], playback["state"] == "failed")


def _application_replaced(message: dict[str, Any], at_ms: int) -> Routed:
    return message["application"], Replaced(at_ms)


_READERS: dict[str, Callable[[dict[str, Any], int], Routed]] = {
    "StasisStart": _stasis_start,
    "StasisEnd": _stasis_end,
    "ChannelStateChange": _channel_state_change,
    "ChannelHangupRequest": _channel_hangup_request,
    "ChannelDestroyed": _channel_destroyed,
    "Dial": _dialled,
    "ChannelDtmfReceived": _channel_dtmf_received,
    "ChannelTransfer": _channel_transfer,
    "ChannelHold": _channel_hold,
    "ChannelUnhold": _channel_unhold,
    "ChannelEnteredBridge": _channel_entered_bridge,
    "ChannelLeftBridge": _channel_left_bridge,
    "BridgeDestroyed": _bridge_destroyed,
    "PlaybackFinished": _playback_finished,
    "ApplicationReplaced": _application_replaced,
}

EVENT_TYPES: tuple[str, ...] = tuple(_READERS)

# The events that running a call needs. ApplicationReplaced is always sent, whatever the filter.
DEFAULT_EVENTS: tuple[str, ...] = (
    "StasisStart",
    "StasisEnd",
    "Dial",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelTransfer",
    "ChannelHold",
    "ChannelUnhold",
    "PlaybackFinished",
)
