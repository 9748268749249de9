"""A survey asks what is in Asterisk now, once for all calls: after a break, or when a switch recovers calls.

Asterisk sends no event twice. So after a break one survey serves every call. It is repeated until Asterisk answers, and
given to a few calls at a time (`Client.announce`), so that many calls do not block the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from ari_app.ari.backoff import delays
from ari_app.ari.client import Client
from ari_app.ari.errors import AriBadAnswer, AriError, AriReplaced
from ari_app.ari.inbox import AT_ONCE
from ari_app.ari.resources.requester import Json
from ari_app.switch.sweeper import is_bridge

TURN_S = 0.002  # pause between one group of calls and the next

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Survey:
    """What Asterisk had at one moment, not earlier than `asked_at` (s, monotonic clock).

    `states`: every channel's state, by id. `channels`: Asterisk's data of our application's channels. `legs_of`: which
    of these were dialled for a call. `bridges`: the channels in each bridge; `bridge_of`: the bridge of each channel.
    `our_bridges`: the bridges that were made for calls.
    """

    asked_at: float
    states: dict[str, str]
    channels: dict[str, Json]
    legs_of: dict[str, list[str]]
    bridges: dict[str, frozenset[str]]
    bridge_of: dict[str, str]
    our_bridges: set[str]

    def is_in_stasis(self, channel_id: str) -> bool:
        """Whether a channel is in our Stasis application, and not in the dialplan."""
        place = self.channels.get(channel_id, {}).get("dialplan", {})
        return bool(place.get("app_name") == "Stasis")

    def with_(self, channel_id: str) -> frozenset[str]:
        """The channels in the same bridge as a channel, itself included; empty if it is in no bridge."""
        return self.bridges.get(self.bridge_of.get(channel_id, ""), frozenset())


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The survey after a break, made after events arrived again. Put into every call's inbox."""

    found: Survey


async def survey(client: Client) -> Survey:
    """Makes one survey. Raises AriError."""
    asked_at = time.monotonic()
    ours = await client.applications.get()
    listed = await client.channels.list()
    bridged = await client.bridges.list()
    try:
        channels = {channel["id"]: channel for channel in listed}
        bridges = {bridge["id"]: frozenset(bridge["channels"]) for bridge in bridged}
        legs_of: dict[str, list[str]] = {}
        for name in ours["channel_ids"]:
            if name in channels:
                legs_of.setdefault(name.partition("-")[0], []).append(name)
        return Survey(
            asked_at,
            {name: channel["state"] for name, channel in channels.items()},
            {name: channels[name] for name in ours["channel_ids"] if name in channels},
            legs_of,
            bridges,
            {name: bridge for bridge, members in bridges.items() for name in members},
            set(filter(is_bridge, bridges)),
        )
    except (KeyError, TypeError) as error:
        raise AriBadAnswer(
            f"Asterisk's channels and bridges are not told as it documents them: {error!r}"
        ) from error


async def look(client: Client) -> Survey:
    """Tries until a survey succeeds, however long that takes. Raises AriReplaced."""
    waits = delays()
    while True:
        try:
            return await survey(client)
        except AriReplaced:
            raise
        except AriError as error:
            log.warning("what is in Asterisk is asked for again: %s", error)
            await asyncio.sleep(next(waits))


class FirstLook:
    """The survey when a switch starts. All recovered calls wait for it; then they go on, a few at a time."""

    def __init__(self, client: Client) -> None:
        self._task = asyncio.create_task(look(client))
        self._told = 0

    async def found(self) -> Survey:
        """Waits for the survey, and returns it. Raises AriReplaced."""
        seen = await asyncio.shield(self._task)
        turn, self._told = self._told // AT_ONCE, self._told + 1
        if turn:
            await asyncio.sleep(turn * TURN_S)
        return seen

    def cancel(self) -> None:
        """Cancels the survey."""
        self._task.cancel()
