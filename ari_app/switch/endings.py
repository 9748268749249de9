"""Calls that have ended are saved, counted and logged; a destination that left too many unanswered is paused."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ari_app import logs
from ari_app.access.actor import CALLRACE
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.serving.clock import CallClock
from ari_app.serving.protocols import Unanswered
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.writer import Writer
from ari_app.store.db.errors import StoreError
from ari_app.store.market import pauses
from ari_app.store.market.pauses import Pause
from ari_app.switch.inhand import InHand
from ari_app.switch.metrics import Metrics
from ari_app.switch.session import Session

log = logging.getLogger(__name__)

TELL_S = 1.0


class Endings:
    """Passes ended calls on to the database, the metrics and the log."""

    def __init__(
        self, engine: Engine, writer: Writer, metrics: Metrics, in_hand: InHand, unanswered: Unanswered
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._metrics = metrics
        self._in_hand = in_hand
        self._unanswered = unanswered
        self._untold: list[CallRecord] = []

    def ended(self, session: Session, task: asyncio.Task[Settlement]) -> None:
        """A session has settled its call, or has failed. One that was broken off leaves its call to the next switch."""
        if task.cancelled():
            log.warning("call is left to the next switch", extra=logs.fields(call=session.record.id))
            return
        error = task.exception()
        self.save(task.result() if error is None else self._broken(session, error))
        self._pause_the_silent(session)

    def save(self, settlement: Settlement) -> None:
        """Gives a settled call to the writer; it is counted and logged soon."""
        try:
            self._writer.submit(settlement)
        except StoreError as refusal:
            log.error("call is not saved: %s", refusal, extra=logs.fields(call=settlement.record.id))
        self._untold.append(settlement.record)
        if len(self._untold) == 1:
            asyncio.get_running_loop().call_later(TELL_S, self.tell)

    def tell(self) -> None:
        """Counts and logs the ended calls together: twenty at once cost as much as two one by one."""
        ended, self._untold = self._untold, []
        for record in ended:
            self._metrics.ended(record)
            log.info("call ended", extra=_summary(record))

    def _broken(self, session: Session, error: BaseException) -> Settlement:
        """A defect in our code ended the call: it has a record, and moves no money."""
        log.error("call broke", exc_info=error, extra=logs.fields(call=session.record.id))
        session.record.disposition = "failed"
        session.record.ended_at = session.record.ended_at or session.call.now()
        session.call.note(EventName.FAILED, f"{type(error).__name__}: {error}")
        session.call.keep()
        return Settlement(session.record)

    def _pause_the_silent(self, session: Session) -> None:
        """Pauses destinations that have left too many calls unanswered."""
        now = CallClock().now()
        for leg in session.record.legs:
            if leg.outcome == "no_answer":
                rule = session.case.destination(leg.destination).auto_pause
                reason = self._unanswered.count(leg.destination, rule, now)
                if reason is not None:
                    self._in_hand.do(self._pause(Pause(leg.destination, now, reason, str(CALLRACE))))

    async def _pause(self, pause: Pause) -> None:
        try:
            await asyncio.to_thread(pauses.pause, self._engine, pause)
        except (SQLAlchemyError, StoreError) as error:
            log.warning("%s is not paused (%s): %s", pause.destination, pause.reason, error)
        else:
            log.warning("%s is paused, until it is resumed: %s", pause.destination, pause.reason)


def _summary(record: CallRecord) -> dict[str, Any]:
    """The log line's fields for an ended call; amounts are in minor units."""
    verdict, money = record.qualification, record.money
    return logs.fields(
        call=record.id,
        did=record.did,
        ani=record.ani,
        disposition=record.disposition,
        campaign=record.campaign,
        publisher=record.publisher,
        winner=record.winner,
        total_ms=record.durations_ms.total,
        connected_ms=record.durations_ms.connected if record.connected_at else None,
        qualified=verdict.qualified if verdict else None,
        charged=money.charged if money else None,
        paid=money.paid if money else None,
        currency=money.currency if money else None,
    )
