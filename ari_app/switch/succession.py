"""Recovers the calls of an earlier switch: each is served on, settled, or set aside for a switch that can do it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from sqlalchemy import Engine

from ari_app.ari.client import Client
from ari_app.domain.basics.clock import iso
from ari_app.domain.routing.recovery import UnderWay, give_up
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.serving.market import Market
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.writer import Writer
from ari_app.store.db.errors import DatabaseUnavailable, StoreError
from ari_app.switch.bystander import Bystander
from ari_app.switch.call import Call
from ari_app.switch.endings import Endings
from ari_app.switch.inhand import InHand
from ari_app.switch.recovery import NotResumable, Resumed, settled
from ari_app.switch.session import Session
from ari_app.switch.shared import Shared
from ari_app.switch.survey import FirstLook

log = logging.getLogger(__name__)

BeganWith = Snapshot | Exception
"""The snapshot that a call began with, or the error why it cannot be read."""


class Succession:
    """The calls of the switch before, which this switch recovers."""

    def __init__(
        self,
        engine: Engine,
        market: Market,
        shared: Shared,
        journal: Journal,
        writer: Writer,
        in_hand: InHand,
        endings: Endings,
    ) -> None:
        self._engine = engine
        self._market = market
        self._shared = shared
        self._journal = journal
        self._writer = writer
        self._in_hand = in_hand
        self._endings = endings

    def recover(self, client: Client, surveyed: FirstLook, now: int) -> None:
        """Recovers every call, and begins this switch's journal. Raises StoreError."""
        journal, in_hand = self._journal, self._in_hand
        left = {call.record.id: call for call in [*journal.aside.calls(), *journal.left()]}
        saved = self._saved({*left, *(record.id for record in journal.lost)})
        last_seen = journal.last_seen or now
        if left:
            log.warning(
                "a switch died, last seen at %s: %d calls were under way, %d of them are saved",
                iso(last_seen),
                len(left),
                len(saved & left.keys()),
            )
        snapshots = self._snapshots(call for call_id, call in left.items() if call_id not in saved)
        for call in left.values():  # into the journal, as this switch may die before its survey
            call.last_seen = call.last_seen or journal.last_seen_by(call.timeline) or now
        journal.start()
        journal.forget(saved)
        journal.aside.forget(saved)
        for call_id, call in sorted(left.items()):
            if call_id in saved:
                in_hand.over(call.caller)
            else:
                self._resume_or_set_aside(client, call, snapshots[call.marketplace_version], surveyed)
        for record in journal.lost:
            if record.id not in saved:
                give_up(record, last_seen)
                self._endings.save(Settlement(record))

    def _saved(self, call_ids: set[str]) -> set[str]:
        return (self._writer.spooled() & call_ids) | calls.saved(self._engine, call_ids)

    def _snapshots(self, left: Iterable[UnderWay]) -> dict[int, BeganWith]:
        """The snapshots by version; each is read once. Raises DatabaseUnavailable."""
        return {
            version: self._snapshot_of(version) for version in {call.marketplace_version for call in left}
        }

    def _snapshot_of(self, version: int) -> BeganWith:
        try:
            found = self._market.snapshot_of(version)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.error(
                "marketplace %d is not there for its calls: %s", version, error, exc_info=_defect(error)
            )
            return error
        return found or NotResumable(f"there is no marketplace {version}")

    def _resume_or_set_aside(
        self, client: Client, left: UnderWay, began_with: BeganWith, surveyed: FirstLook
    ) -> None:
        try:
            self._resume(client, left, began_with, surveyed)
        except Exception as error:
            log.error("call %s is set aside: %s", left.record.id, error, exc_info=_defect(error))
            self._set_aside(client, left, error, surveyed)

    def _resume(self, client: Client, left: UnderWay, began_with: BeganWith, surveyed: FirstLook) -> None:
        """Serves or settles one call. If that is impossible, raises the reason, and has done nothing."""
        if left.record.ended_at is not None:
            self._in_hand.over(left.caller)
            self._in_hand.do(self._settle(client, left, began_with, surveyed))
            return
        snapshot = began_with
        if left.pin is None and self._market.snapshot is not None:  # it is attributed only now
            snapshot = self._market.snapshot
            left.marketplace_version = snapshot.version
        if isinstance(snapshot, Exception):
            raise snapshot
        call = Call(client, self._journal, left)
        try:
            session = Session(call, snapshot, self._shared)
            resumed = Resumed(session, self._shared.callers, surveyed)
        except BaseException:
            call.inbox.close()
            raise
        self._in_hand.serve(session, session.run(resumed.serve), self._endings.ended)

    async def _settle(
        self, client: Client, left: UnderWay, began_with: BeganWith, surveyed: FirstLook
    ) -> None:
        """Settles an ended call. It waits for earlier calls to be read, so it is a task; the journal keeps the call."""
        try:
            self._endings.save(await settled(left, began_with, self._shared.callers))
        except Exception as error:
            log.error("call %s is set aside: %s", left.record.id, error, exc_info=_defect(error))
            self._set_aside(client, left, error, surveyed)

    def _set_aside(self, client: Client, left: UnderWay, why: Exception, surveyed: FirstLook) -> None:
        """Sets a call aside for a switch that can recover it; see `bystander` for its parties."""
        reason = f"{type(why).__name__}: {why}"
        self._shared.callers.recall([left.record])
        if left.record.ended_at is not None:
            self._in_hand.over(left.caller)
            self._in_hand.do(asyncio.to_thread(self._save_aside, left, reason))
            return
        call = Call(client, self._journal, left)
        self._in_hand.watch(Bystander(call, surveyed, lambda: self._save_aside(left, reason)))

    def _save_aside(self, left: UnderWay, reason: str) -> None:
        """Saves the call in a file of its own; only then does the journal forget it."""
        try:
            self._journal.aside.put(left, reason)
        except OSError as error:
            log.critical("call %s stays in the journal: it cannot be set aside: %s", left.record.id, error)
        else:
            self._journal.forget([left.record.id])


def _defect(error: Exception) -> Exception | None:
    """The error, if its traceback says more than its message; else None."""
    return None if isinstance(error, (NotResumable, StoreError)) else error
