"""Recovers the calls that an earlier switch left when it died: `domain.routing.recovery` decides, this module acts.

Asterisk sends no event twice, so events of the time without a switch are lost. Instead, one survey for all calls asks
what exists now. The application's channels and bridges that belong to no call are hung up and removed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import StasisStart, now_ms
from ari_app.ari.resources.requester import Json
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.geo import Geography, Place
from ari_app.domain.calls.stage import Fate, Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.routing import recovery
from ari_app.domain.routing.recovery import Remains, UnderWay, fate, winning_leg
from ari_app.domain.routing.snapshot import Attribution, Snapshot, pinned
from ari_app.domain.routing.transfers import following, is_with_transferee, pending
from ari_app.domain.terms.settlement import SCREENED_OUT, awaits_verdict, conclude
from ari_app.serving.ids import bridge_id, leg_ids
from ari_app.serving.protocols import Callers
from ari_app.store.calls.calls import Settlement
from ari_app.switch.call import CallerGone
from ari_app.switch.case import Case
from ari_app.switch.conversation import talk_on
from ari_app.switch.session import Before, Session
from ari_app.switch.survey import FirstLook, Survey, look

log = logging.getLogger(__name__)

# When a new channel is seen in a survey, its StasisStart may still be on its way.
NEW_CALLS_S = 1.0
NOWHERE = Geography({}, {})  # for calls that are not judged by a place


class NotResumable(Exception):
    """What a call is pinned to does not exist; the message says what is missing."""


def pinned_attribution(left: UnderWay, snapshot: Snapshot) -> Attribution | None:
    """The attribution of a call that was left; None if it was not attributed yet. Raises NotResumable."""
    pin = left.pin
    if pin is None:
        return None
    found = pinned(snapshot, pin)
    if found is None:
        raise NotResumable(
            f"marketplace {snapshot.version} has no campaign {pin.campaign} of {pin.publisher}"
        )
    return found


async def settled(left: UnderWay, began_with: Snapshot | Exception, callers: Callers) -> Settlement:
    """Settles a call that had ended when its switch died, and judges it if the switch had no time for that.

    Raises the error in `began_with`, if the snapshot is needed and could not be read; and NotResumable.
    """
    record = left.record
    callers.recall([record])
    if not awaits_verdict(record):
        return Settlement(record, conclude(record, None, Place(), "UTC", {}, NOWHERE))
    if isinstance(began_with, Exception):
        raise began_with
    found = pinned_attribution(left, began_with)
    assert found is not None, "a call that awaits its verdict is somebody's"
    case = Case(record, began_with, found, earlier=await callers.earlier(record))
    case.find_place()
    transfers = case.conclude()
    callers.recall([record])
    return Settlement(record, transfers)


def rung(left: UnderWay) -> dict[str, str]:
    """Channel id -> destination, for every leg of the race, dialled or not."""
    return {
        channel_id: destination
        for leg, destination in enumerate(left.destinations)
        for channel_id in leg_ids(left.name, leg)
    }


class Resumed:
    """What a session does with a call of an earlier switch: `session.run(resumed.serve)`."""

    def __init__(self, session: Session, callers: Callers, surveyed: FirstLook) -> None:
        """Make it before the first event is read: from here on places are taken and callers remembered.

        The session's snapshot is the one that the call began with, or the present one if the call was not attributed
        yet. Raises NotResumable, or any error of a defect; then nothing is held or watched for the call.
        """
        self._session = session
        self._call = session.call
        self._record = record = session.record
        self._surveyed = surveyed
        self._last_seen = max(session.call.under_way.last_seen or 0, record.events[-1].at)
        self._is_screened = record.answered_at is not None and record.disposition not in SCREENED_OUT
        self._agent = session.call.under_way.agent
        try:
            session.case.attribution = pinned_attribution(session.call.under_way, session.case.snapshot)
            session.case.find_place()
            callers.recall([record])
            self._hold()
        except BaseException:
            session.places.close()
            session.call.inbox.close()
            raise

    def _hold(self) -> None:
        call = self._call
        self._session.places.enter(call.under_way.trunk)
        for channel_id in {*self._rung(), *filter(None, [call.under_way.transferee])}:
            call.client.watch(call.inbox, channel_id)
        if self._agent is not None:
            self._take_places()

    async def serve(self) -> None:
        """Finds what is left of the call, and goes on from there. Raises CallerGone."""
        found = await self._surveyed.found()
        self._call.under_way.last_seen = None
        self._call.note(EventName.SWITCH_RESTARTED, f"it was last seen at {iso(self._last_seen)}")
        if await self._call.reclaim(found):
            found = await look(self._call.client)
        self._find_agent(found)
        remains = self._remains(found)
        what = fate(self._call.under_way, remains)
        log.info("call %s, left behind: %s", self._record.id, what)
        await self._clear(found, what)
        try:
            match what:
                case "talking" | "transferring":
                    await self._talk_on()
                case "again":
                    self._session.places.give_agents_back()
                    await self._restart(found)
                case "over":
                    self._close(remains)
        finally:
            self._session.places.give_agents_back()

    def _rung(self) -> dict[str, str]:
        return rung(self._call.under_way)

    def _find_agent(self, found: Survey) -> None:
        """If a leg shares the caller's bridge it won, even if the award never reached the journal."""
        together = found.bridges.get(bridge_id(self._call.name), frozenset())
        if self._agent is not None or self._call.channel_id not in together:
            return
        for channel_id, destination in self._rung().items():
            if channel_id in together:
                self._agent = self._call.under_way.parties["agent"] = channel_id
                recovery.assume_awarded(self._record, destination, self._last_seen)
                self._take_places()

    def _remains(self, found: Survey) -> Remains:
        partner = self._transferee(found) or self._agent
        return Remains(
            caller=self._call.channel_id in found.channels,
            agent=partner in found.channels,
            together=partner in found.with_(self._call.channel_id),
        )

    def _transferee(self, found: Survey) -> str | None:
        """The channel of whom the agent transferred the caller to, if it was, though perhaps nobody wrote that down."""
        under_way, record = self._call.under_way, self._record
        channel_id = under_way.transferee
        if channel_id is None:
            return None
        if (transfer := pending(record)) and channel_id in found.with_(under_way.caller):
            transfer.outcome, transfer.answered_at = "connected", self._last_seen
        return channel_id if is_with_transferee(record) else None

    async def _clear(self, found: Survey, what: Fate) -> None:
        """Hangs up all legs that were rung for the call, except an agent in conversation."""
        channels, under_way = self._call.client.channels, self._call.under_way
        talks = under_way.transferee if is_with_transferee(self._record) else self._agent
        for channel_id in found.legs_of.get(self._record.id, ()):
            if not (what == "talking" and channel_id == talks):
                await channels.hangup(channel_id, "answered_elsewhere" if what == "talking" else "normal")
        if talks != under_way.agent or talks not in found.channels:
            under_way.parties.pop("agent", None)
        if talks != under_way.transferee:
            under_way.parties.pop("transferee", None)
        if what not in ("talking", "transferring"):
            await self._call.client.bridges.destroy(bridge_id(self._call.name))

    # They talk

    async def _talk_on(self) -> None:
        session, call, record = self._session, self._call, self._record
        if record.winner is None:
            recovery.assume_connected(record, call.now())
        assert record.connected_at is not None
        session.reservation.was_made(call.under_way.destinations, record.connected_at, self._last_seen)
        session.connected(record.connected_at)
        for channel_id in call.under_way.partners:
            call.is_up(channel_id)
        talks_to = record.transfers[-1].to if is_with_transferee(record) else record.winner
        call.note(EventName.RESUMED, f"talks to {talks_to}")
        self._resume_recording()
        campaign = session.case.whose.campaign
        session.places.following = following(campaign, session.case.snapshot)
        by = await talk_on(call, session.places, campaign.route.max_duration, self._last_seen)
        await session.offered("agent" if by == "agent" else "limit")

    # The caller waits

    async def _restart(self, found: Survey) -> None:
        call, record = self._call, self._record
        recovery.restart(record, self._last_seen)
        call.under_way.parties.pop("agent", None)
        call.under_way.restarts += 1
        is_up = found.channels[call.channel_id]["state"] == "Up"
        node = call.under_way.node
        call.note(EventName.RESTARTED, f"at {node}, where the caller was" if node else "from the start")
        self._session.recording.parted()
        if is_up:
            call.post(call.client.channels.stop_moh(call.channel_id))
            call.end_by_itself(None)
        call.enter(Stage.ARRIVING)
        await self._session.serve(Before(self._last_seen, self._is_screened, is_up))

    # It is over

    def _close(self, remains: Remains) -> None:
        call = self._call
        call.cut_at = self._last_seen
        by = recovery.close(self._record, remains, self._last_seen)
        self._resume_recording()
        if not remains.caller:
            call.gone = CallerGone(by, EventName.CALLER_WAS_GONE)
            raise call.gone
        self._record.end_source = by
        call.note(EventName.AGENT_WAS_GONE if by == "agent" else EventName.WERE_APART)

    def _resume_recording(self) -> None:
        attribution = self._session.case.attribution
        if attribution is not None:
            self._session.recording.resumed(attribution.campaign.recording)

    def _take_places(self) -> None:
        leg = winning_leg(self._record)
        if leg is not None:
            self._session.places.take(leg.destination)


async def sweep(
    client: Client,
    found: Survey,
    knows: Callable[[str], bool],
    serve: Callable[[StasisStart], None],
    watch_strangers: Callable[[Client, str, frozenset[str]], None],
) -> None:
    """Hangs up channels that belong to no call. An unknown caller is served as a new call; conversations go on.

    `knows` says whether this switch has, or had, a channel's call, as it may have ended since the survey. A
    `watch_strangers` has to watch the channels of the bridge at once.
    """
    try:
        await asyncio.sleep(NEW_CALLS_S)
        for name in found.our_bridges:
            members = found.bridges[name]
            if len(members) > 1 and not any(client.is_watched(one) or knows(one) for one in members):
                watch_strangers(client, name, members)
        for channel_id, channel in found.channels.items():
            if client.is_watched(channel_id):
                continue
            start = None if knows(channel_id) else _arrival(channel)
            if start is not None and channel_id not in found.bridge_of:
                log.warning("channel %s came while no switch heard of it; it is served now", channel_id)
                serve(start)
            else:
                log.warning("channel %s belongs to no call; it is hung up", channel_id)
                await client.channels.hangup(channel_id)
        for name in found.our_bridges:
            if not client.is_watched(name) and not any(map(client.is_watched, found.bridges[name])):
                await client.bridges.destroy(name)
    except AriError as error:
        log.error("what belongs to no call is left in Asterisk: %s", error)


def _arrival(channel: Json) -> StasisStart | None:
    """The event by which the dialplan passed a channel to us; None for a channel that we have dialled."""
    place, caller = channel["dialplan"], channel["caller"]
    _, *args = place.get("app_data", "").split(",")
    if args[:1] != ["in"]:
        return None
    return StasisStart(
        now_ms(),
        channel["id"],
        tuple(args),
        caller["number"],
        caller["name"],
        channel["name"],
        place["exten"],
        channel["state"],
    )
