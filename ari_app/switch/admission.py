"""Admission: decides whether a new call is taken, and how it is refused."""

from __future__ import annotations

import asyncio
import logging

from ari_app import logs
from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import StasisStart
from ari_app.domain.calls.carrier import trunk_of
from ari_app.domain.calls.timeline import EventName
from ari_app.serving.market import Market
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.writer import Writer
from ari_app.switch.call import Call
from ari_app.switch.doubles import Double, Doubles
from ari_app.switch.endings import Endings
from ari_app.switch.failover import has_failover
from ari_app.switch.inhand import CALLS_AT_ONCE, InHand
from ari_app.switch.newcall import new_call
from ari_app.switch.session import Session
from ari_app.switch.shared import Shared

log = logging.getLogger(__name__)

# Above this many unanswered requests Asterisk is about 100 ms behind and losing ground: refuse new calls.
BEHIND = 256
UNSERVED = "unserved"  # the dialplan label for calls that no switch takes
DOUBLE = "double"  # the dialplan label for loops and second deliveries: answered with 482


class Admission:
    """Handles each channel that enters Stasis and that no call under way has made."""

    def __init__(
        self,
        market: Market,
        shared: Shared,
        journal: Journal,
        writer: Writer,
        in_hand: InHand,
        endings: Endings,
    ) -> None:
        self._market = market
        self._shared = shared
        self._journal = journal
        self._writer = writer
        self._in_hand = in_hand
        self._endings = endings
        self._doubles = Doubles(in_hand)

    def on_incoming(self, client: Client, start: StasisStart) -> None:
        """Takes or refuses a new call, or hangs up a channel that belongs to no call."""
        if start.args[:1] != ("in",):
            log.warning("channel %s is hung up: it belongs to no call under way", start.channel_id)
            self._in_hand.do(hang_up(client, start.channel_id))
        elif (double := self._doubles.find(start)) is not None:
            self._send_back(client, start, double)
        elif self._in_hand.is_draining and not has_failover(
            self._market.snapshot, trunk_of(start.channel_name)
        ):
            self._in_hand.do(_hand_back(client, start.channel_id, UNSERVED))
        else:
            self._take(client, start)

    def _take(self, client: Client, start: StasisStart) -> None:
        snapshot = self._market.snapshot
        call = new_call(client, start, snapshot, self._journal)
        refusal = self._why_refused(client)
        if snapshot is None or refusal is not None:
            self._refuse(call, refusal or "no marketplace is in force")
            return
        session = Session(call, snapshot, self._shared)
        self._doubles.taken(start, call.record.id)

        def ended(session: Session, task: asyncio.Task[Settlement]) -> None:
            record = session.record
            self._doubles.over(start, was_answered=record.answered_at is not None)
            if record.answered_at is None and record.end_source == "caller":
                self._shared.callers.withdrawn(record.did, record.ani, record.started_at)
            self._endings.ended(session, task)

        self._in_hand.serve(session, session.run(), ended)

    def _send_back(self, client: Client, start: StasisStart, double: Double) -> None:
        """Refuses a loop or a second delivery, and writes this into the record of the call that it belongs to."""
        if double.of is not None:
            double.of.call.note(EventName.CAME_AGAIN, double.why)
        of = double.of.record.id if double.of is not None else "one that is over"
        log.warning("channel %s refused: %s", start.channel_id, double.why, extra=logs.fields(call=of))
        self._in_hand.do(_hand_back(client, start.channel_id, DOUBLE))

    def _why_refused(self, client: Client) -> str | None:
        """Why no new call can be taken at this moment, or None."""
        if self._in_hand.is_draining:
            return "the switch is draining, and the carrier has another route"
        under_way = len(self._in_hand.sessions)
        if under_way >= CALLS_AT_ONCE:
            return f"{CALLS_AT_ONCE} calls are under way already"
        if under_way >= self._writer.room():
            return "the database is away, and there is no room for more calls that wait for it"
        if client.waiting() >= BEHIND:
            return "Asterisk cannot keep up with the calls it has"
        return None

    def _refuse(self, call: Call, reason: str) -> None:
        """Refuses a call without answering, so that the carrier can try another route. The call still has a record."""
        record = call.record
        record.disposition, record.end_source, record.ended_at = "failed", "system", record.started_at
        call.note(EventName.REFUSED, reason)
        call.keep()
        log.warning("call refused: %s", reason, extra=logs.fields(call=record.id))
        call.inbox.close()
        self._in_hand.over(call.channel_id)
        self._in_hand.do(hang_up(call.client, call.channel_id))
        self._endings.save(Settlement(record))


async def hang_up(client: Client, channel_id: str) -> None:
    """Hangs up a channel that no call has or takes. To a carrier it is congestion: another route may be tried."""
    try:
        await client.channels.hangup(channel_id, "congestion")
    except AriError as error:
        log.warning("channel %s could not be hung up: %s", channel_id, error)


async def _hand_back(client: Client, channel_id: str, label: str) -> None:
    """Sends a call that is not taken back to the dialplan, which serves or refuses it.

    A label, and not a channel variable, says why: once ARI has set a variable, the channel may not write a file (FILE)
    any more, and the call's outcome would be lost.
    """
    try:
        await client.channels.continue_in_dialplan(channel_id, label=label)
    except AriError as error:
        log.warning("channel %s could not be handed back: %s", channel_id, error)
