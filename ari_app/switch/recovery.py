"""Takes up the calls that a switch left behind when it died: `domain.leftover` decides, this acts.

Asterisk tells no event twice, and none of what happened meanwhile: what is there now is asked for
once, for all calls. Channels and bridges of the application that belong to no call are let go.
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
from ari_app.domain.calls.geo import Geography, Place, locate
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Fate, Stage
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.routing import recovery
from ari_app.domain.routing.intake import Intake, Pinned, Step
from ari_app.domain.routing.recovery import Remains, UnderWay, fate, winning_leg
from ari_app.domain.routing.snapshot import Attribution, Snapshot, pinned
from ari_app.domain.terms.settlement import SCREENED_OUT, awaits_verdict, conclude
from ari_app.serving.callers import Callers
from ari_app.serving.capacity import Capacity
from ari_app.serving.caps import Caps
from ari_app.serving.ids import bridge_id, leg_ids
from ari_app.store.calls.calls import Settlement
from ari_app.switch.call import Call, CallerGone
from ari_app.switch.conversation import talk_on
from ari_app.switch.recording import Recorder
from ari_app.switch.session import Session
from ari_app.switch.survey import FirstLook, Survey

log = logging.getLogger(__name__)

# The StasisStart of a channel that is new may still be on its way when the channel is seen.
NEW_CALLS_S = 1.0
NOWHERE = Geography({}, {})  # for who is not judged by a place


class NotTakenUp(Exception):
    """What a call is pinned to is not there; the message says what."""


def pinned_attribution(left: UnderWay, snapshot: Snapshot) -> Attribution | None:
    """Whose a call is that was left behind; None where it was not attributed yet. Raises NotTakenUp."""
    pin = left.pin
    if pin is None:
        return None
    found = pinned(snapshot, pin)
    if found is None:
        raise NotTakenUp(f"marketplace {snapshot.version} has no campaign {pin.campaign} of {pin.publisher}")
    return found


async def settled(left: UnderWay, began_with: Snapshot | Exception, callers: Callers) -> Settlement:
    """A call that had ended when its switch did: judged now, where there was no time for that.

    Raises what `began_with` is, where that is needed and cannot be had, and NotTakenUp.
    """
    record = left.record
    callers.recall([record])
    if not awaits_verdict(record):
        return Settlement(record, conclude(record, None, Place(), "UTC", {}, NOWHERE))
    if isinstance(began_with, Exception):
        raise began_with
    found = pinned_attribution(left, began_with)
    assert found is not None, "a call that awaits its verdict is somebody's"
    zone = began_with.marketplace.advertisers[found.campaign.advertiser].timezone
    earlier, place = await callers.earlier(record), _place_of(record, began_with)
    transfers = conclude(record, found, place, zone, earlier, began_with.geography)
    callers.recall([record])
    return Settlement(record, transfers)


def rung(left: UnderWay) -> dict[str, str]:
    """The destinations of a call's race by the channels that were, or were to be, rung."""
    return {
        channel_id: destination
        for leg, destination in enumerate(left.destinations)
        for channel_id in leg_ids(left.name, leg)
    }


def _place_of(record: CallRecord, snapshot: Snapshot) -> Place:
    return locate(snapshot.geography, record.place.zip, record.ani, record.did)


class Resumed(Session):
    """A call that a switch before this one had in hand, from now on."""

    def __init__(
        self,
        call: Call,
        snapshot: Snapshot,
        capacity: Capacity,
        callers: Callers,
        caps: Caps,
        recorder: Recorder,
        surveyed: FirstLook,
    ) -> None:
        """Before the first event is read: places and callers are remembered from here on.

        `snapshot` is the one that the call began with; of a call that was not attributed yet, that of now. Raises
        NotTakenUp, or whatever a defect of ours does; then nothing is held or watched for the call.
        """
        super().__init__(call, snapshot, capacity, callers, caps, recorder)
        record = call.record
        self._surveyed = surveyed
        self._last_seen = max(call.under_way.last_seen or 0, record.events[-1].at)
        self._was_let_in = record.answered_at is not None and record.disposition not in SCREENED_OUT
        self._agent = call.under_way.agent
        self._taken: list[str] = []
        self._is_up = False
        try:
            self._attribution = pinned_attribution(call.under_way, snapshot)
            self._place = _place_of(record, snapshot)
            self._hold()
        except BaseException:
            self._let_go()
            raise

    def _hold(self) -> None:
        call = self.call
        self._callers.recall([call.record])
        self._enter_trunk()
        for channel_id in self._rung():
            call.client.watch(call.inbox, channel_id)
        if self._agent is not None:
            self._take_places()

    def _let_go(self) -> None:
        self._give_places_back()
        self._leave_trunk()
        self.call.inbox.close()

    async def _serve(self) -> None:
        found = await self._surveyed.found()
        self.call.under_way.last_seen = None
        self._find_agent(found)
        remains = self._remains(found)
        self.call.note(EventName.SWITCH_RESTARTED, f"it was last seen at {iso(self._last_seen)}")
        what = fate(self.call.under_way, remains)
        log.info("call %s, left behind: %s", self.record.id, what)
        await self._clear(found, what)
        try:
            match what:
                case "talking":
                    await self._talk_on()
                case "again":
                    self._give_places_back()
                    await self._begin_again(found)
                case "over":
                    self._close(remains)
        finally:
            self._give_places_back()

    def _first_step(self, intake: Intake) -> Step:
        """A call stays whose it was, under the terms that it began with. Who was let in is not screened again: what was
        decided since is about the calls that came since.
        """
        if self._attribution is None:
            return intake.start()
        return intake.resume(self._attribution, is_taken=self._was_let_in)

    def _pin(self, found: Attribution, place: Place) -> Pinned:
        return super()._pin(found, place) if self._attribution is None else self._pinned()

    def _rung(self) -> dict[str, str]:
        return rung(self.call.under_way)

    def _find_agent(self, found: Survey) -> None:
        """Who is with the caller has the call, even if there was no time to write down that it was awarded."""
        together = found.bridges.get(bridge_id(self.call.name), frozenset())
        if self._agent is not None or self.call.channel_id not in together:
            return
        for channel_id, destination in self._rung().items():
            if channel_id in together:
                self._agent = self.call.under_way.parties["agent"] = channel_id
                recovery.assume_awarded(self.record, destination, self._last_seen)
                self._take_places()

    def _remains(self, found: Survey) -> Remains:
        return Remains(
            caller=self.call.channel_id in found.channels,
            agent=self._agent in found.channels,
            together=self._agent in found.with_(self.call.channel_id),
        )

    async def _clear(self, found: Survey, what: Fate) -> None:
        """Hangs up everybody who was rung for the call, but for an agent who talks."""
        channels = self.call.client.channels
        for channel_id in found.legs_of.get(self.record.id, ()):
            if not (what == "talking" and channel_id == self._agent):
                await channels.hangup(channel_id, "answered_elsewhere" if what == "talking" else "normal")
        if what != "talking":
            await self.call.client.bridges.destroy(bridge_id(self.call.name))

    # They talk

    async def _talk_on(self) -> None:
        call, record = self.call, self.record
        assert self._agent is not None
        if record.winner is None:
            recovery.assume_connected(record, call.now())
        assert record.connected_at is not None and self._attribution is not None
        self._is_anyone_capped = self._holds_for_losers(record.connected_at)
        self._connected(record.connected_at)
        call.is_up(self._agent)
        call.note(EventName.TAKEN_UP, f"talks to {record.winner}")
        self._take_up_recording()
        by = await talk_on(call, self._attribution.campaign.route.max_duration)
        await self._end_of_offer("agent" if by == "agent" else "limit", None)

    def _holds_for_losers(self, connected_at: int) -> bool:
        """Whether the switch before this one died before it gave back what is reserved of who lost."""
        assert self._attribution is not None
        is_given_back = self._last_seen >= connected_at + self._attribution.campaign.route.reoffer_within
        return not is_given_back and any(
            self.destination(name).caps for name in self.call.under_way.destinations
        )

    # The caller waits

    async def _begin_again(self, found: Survey) -> None:
        call, record = self.call, self.record
        recovery.begin_again(record, self._last_seen)
        call.under_way.parties.pop("agent", None)
        call.under_way.restarts += 1
        self._is_up = found.channels[call.channel_id]["state"] == "Up"
        node = call.under_way.node
        call.note(EventName.BEGUN_AGAIN, f"at {node}, where the caller was" if node else "from the start")
        self._recording.parted()
        if self._is_up:
            call.post(call.client.channels.stop_moh(call.channel_id))
            call.end_by_itself(None)
        call.enter(Stage.ARRIVING)
        await super()._serve()

    async def _answer(self) -> None:
        """A channel that is up is not answered again: that would wait for the prompt that still plays."""
        if not self._is_up:
            await super()._answer()
        elif self.record.answered_at is None:
            self.record.answered_at = self._last_seen

    # It is over

    def _close(self, remains: Remains) -> None:
        call = self.call
        call.cut_at = self._last_seen
        by = recovery.close(self.record, remains, self._last_seen)
        self._take_up_recording()
        if not remains.caller:
            call.gone = CallerGone(by, EventName.CALLER_WAS_GONE)
            raise call.gone
        self.record.end_source = by
        call.note(EventName.AGENT_WAS_GONE if by == "agent" else EventName.WERE_APART)

    def _take_up_recording(self) -> None:
        if self._attribution is not None:
            self._recording.taken_up(self._attribution.campaign.recording)

    # The agent's place, and the trunk's

    def _take_places(self) -> None:
        leg = winning_leg(self.record)
        if leg is None:
            return
        _, places = self._dial(leg.destination)
        self._taken = [place for place, size in places.items() if self._capacity.take(place, size)]

    def _give_places_back(self) -> None:
        for place in self._taken:
            self._capacity.give_back(place)
        self._taken = []


async def sweep(
    client: Client,
    found: Survey,
    had: Callable[[str], bool],
    serve: Callable[[StasisStart], None],
    let_talk: Callable[[Client, str, frozenset[str]], None],
) -> None:
    """Lets go of what belongs to no call. A caller of whom nothing is known is a new call; who talks goes on.

    `had` says whether a channel's call is in hand already, or over: it may have ended since the survey. `let_talk` is
    to watch the channels of a bridge at once.
    """
    try:
        await asyncio.sleep(NEW_CALLS_S)
        for name in found.our_bridges:
            members = found.bridges[name]
            if len(members) > 1 and not any(client.is_watched(one) or had(one) for one in members):
                let_talk(client, name, members)
        for channel_id, channel in found.channels.items():
            if client.is_watched(channel_id):
                continue
            start = None if had(channel_id) else _arrival(channel)
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
    """The event with which the dialplan handed a channel over; None for one that we have dialled."""
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
