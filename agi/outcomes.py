"""Outcomes of calls that the dialplan served without a switch: they become records and are settled.

The dialplan writes one line for each call into a file, and the service `record` writes the same line into another
file. Both are read here. A file is renamed, read, saved, and only then removed, so no line is lost. A call that was
saved before is not changed, so nothing counts twice. After an outage there are many lines: BATCH calls are saved in one
transaction, which costs little more than one call. The dialplan also writes a line when a call begins: a call that was
cut off because Asterisk ended (`unfinished`) is closed for that reason, without money. If a switch comes back in time
for a call, the switch makes the record.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agi.past import Past
from agi.pins import Pins
from agi.unfinished import Begun
from ari_app.domain.calls.dialplan_call import (
    CUT_OFF,
    NOBODY_THERE,
    PASSED_ON,
    Outcome,
    begin,
    fill_in,
    has_ended,
    heard,
    id_of,
    outcome_of,
)
from ari_app.domain.calls.geo import Geography, locate
from ari_app.domain.calls.record import CallRecord, TimelineEvent
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.destinations import Destination
from ari_app.domain.market.marketplace import Number, Trunk
from ari_app.domain.routing.intake import Arrival, refusal_by_rules
from ari_app.domain.routing.snapshot import Attribution, Pin, Snapshot, attribute_to, pinned
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import RepeatKind, kinds_of
from ari_app.domain.terms.settlement import conclude, pin
from ari_app.serving.chores import Chores
from ari_app.serving.clock import CallClock
from ari_app.serving.dialstrings import endpoint
from ari_app.settings import refused_file
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.writer import save_or_tell
from ari_app.store.db.atomic_files import has_any
from ari_app.store.db.errors import DocumentUnreadable, StoreError
from ari_app.store.market import marketplaces

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LONGEST_LINE = 10_000
WAIT_S = 300.0
BATCH = 100  # calls in one transaction, as when the switch empties its spool
VERSIONS_KEPT = 3  # calls that end together mostly began under the same few versions
_TO_BE_TRIED_AGAIN = (OSError, StoreError, SQLAlchemyError)


class NotPinned(Exception):
    """What a call is pinned to, or the owner of its number, is in no marketplace; the message says what."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An ended call, and the line that reports its end."""

    line: str
    outcome: Outcome

    @property
    def call_id(self) -> str:
        return id_of(self.outcome)


_Refused = list[tuple[str, str]]
"""Lines from which no record can be made, each with the reason."""

Channels = Callable[[], Awaitable[Collection[str]]]
"""Returns the ids of Asterisk's channels now. Raises AriError, or SettingsError when Asterisk cannot be asked."""


class Outcomes:
    """Reads `files`, whose lines are written by the dialplan or by `tell`.

    A line from which no record can be made is set aside, and reported in the log and by `callrace doctor`.
    """

    def __init__(
        self,
        engine: Engine,
        geography: Geography,
        files: Sequence[Path],
        channels: Channels,
        chores: Chores | None = None,
        spool: Path | None = None,
        has_left_calls: Callable[[], bool] = lambda: False,
    ) -> None:
        """`tell` writes to the last of the files. `spool`: where a switch's ended calls wait to be saved.

        `has_left_calls` says whether a switch died with calls under way that no other switch has recovered yet.
        """
        self._engine = engine
        self._geography = geography
        self._files = files
        self._channels = channels
        self._chores = chores or Chores()
        self._spool = spool
        self._has_left_calls = has_left_calls
        self._waits_since: float | None = None  # since when reading waits for a switch
        self._begun = Begun(files[0].with_suffix(".open"))
        self._pins = Pins(files[-1].with_suffix(".pins"))
        self._past = Past(engine)
        self._snapshots: OrderedDict[int, Snapshot] = OrderedDict()  # without numbers, by version

    def pin(self, call_id: str, pin: Pin) -> None:
        """Remembers what a call is pinned to while the dialplan serves it."""
        try:
            self._pins.add(call_id, pin)
        except OSError as error:
            log.error("call %s is pinned in memory alone: %s", call_id, error.strerror)

    def tell(self, fields: Sequence[str]) -> None:
        """Writes a call's outcome to disk. Raises ValueError for an impossible outcome, and OSError."""
        outcome_of(fields)
        own = self._files[-1]
        own.parent.mkdir(parents=True, exist_ok=True)
        with own.open("a") as file:
            file.write(",".join(fields) + "\n")

    async def keep_reading(self) -> None:
        """Saves the reported calls within two seconds, or when the database is back. Runs for ever."""
        while True:
            for file in self._files:
                save = partial(asyncio.to_thread, self._save_aside, file)
                if not await self._chores.attempt(f"saving the calls of {file}", save):
                    self._begun.start_over()
            await self._chores.attempt("looking after calls that the dialplan has begun", self._close_cut_off)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _close_cut_off(self) -> None:
        """Saves the calls that were cut off when Asterisk ended. Raises any error of saving."""
        if self._begun:
            gone = self._begun.cut_off(await self._channels(), CallClock().now())
            if gone:
                await asyncio.to_thread(self._save_cut_off, gone)

    def _save_cut_off(self, gone: Iterable[Outcome]) -> None:
        told = [_Told(",".join(self._begun.fields(outcome.unique_id)), outcome) for outcome in gone]
        self._refuse(self._save_all(told, CUT_OFF), refused_file(self._files[0]))
        self._begun.keep()

    def _save_aside(self, file: Path) -> None:
        """Saves the file renamed at the last look (no program writes to it any more); then renames the present one."""
        aside = file.with_suffix(".aside")
        if self._is_ahead_of_a_switch():
            self._begun.start_over()
            return
        if aside.exists():
            with aside.open(errors="replace") as lines:
                unreadable: _Refused = []
                unsaved = self._save_all(self._ended(lines, unreadable))
            self._refuse(unreadable + unsaved, refused_file(file))
            self._begun.keep()
            aside.unlink()
        if file.exists():
            file.rename(aside)

    def _is_ahead_of_a_switch(self) -> bool:
        """Whether earlier calls of a switch are not in the database yet. They are needed to find repeat callers.

        True for WAIT_S at most: without a running switch, the spool is not emptied and left calls are not recovered.
        """
        is_spooled = self._spool is not None and has_any(self._spool)
        if not is_spooled and not self._has_left_calls():
            self._waits_since = None
            return False
        now = time.monotonic()
        self._waits_since = now if self._waits_since is None else self._waits_since
        return now - self._waits_since < WAIT_S

    def _refuse(self, refused: Iterable[tuple[str, str]], file: Path) -> None:
        """Sets aside the lines from which no record can be made.

        Only after all other lines are saved, as the file may be read again. A line that is set aside already is not
        written twice: an earlier program may have been killed at this point.
        """
        if refused and file.exists():
            kept_before = set(file.read_text(errors="replace").splitlines())
            refused = [(line, why) for line, why in refused if line.rstrip("\n") not in kept_before]
        for line, why in refused:
            log.error("a call's outcome is refused, and kept in %s: %s", file, why)
            with file.open("a") as kept:
                kept.write(line if line.endswith("\n") else f"{line}\n")

    def _ended(self, lines: Iterable[str], unreadable: _Refused) -> Iterator[_Told]:
        """The calls whose end the lines report and that are to be saved here. Adds other lines to `unreadable`."""
        for line in lines:
            fields = line.rstrip("\n")[:LONGEST_LINE].split(",")
            try:
                if not has_ended(fields):
                    self._begun.add(fields)
                    continue
                outcome = outcome_of(fields)
            except ValueError as error:
                unreadable.append((line, str(error)))
                continue
            if outcome.dial_status == PASSED_ON:
                self._begun.end(outcome.unique_id)
            else:
                yield _Told(line, outcome)

    def _save_all(self, told: Iterable[_Told], why: str = NOBODY_THERE) -> _Refused:
        """Saves the calls in their order; returns those that can never be saved. `why`: the reason, if a call failed.

        Raises OSError, StoreError and SQLAlchemyError when the same lines must be read again later.
        """
        refused: _Refused = []
        self._past = Past(self._engine)  # anew: nothing is remembered from earlier files
        for batch in _batches(map(self._heard, told)):
            reasons = self._save(batch, why)
            for one in batch:
                self._begun.end(one.outcome.unique_id)
            self._pins.forget(one.call_id for one in batch if one.call_id not in reasons)
            refused += [(one.line, reasons[one.call_id]) for one in batch if one.call_id in reasons]
        return refused

    def _heard(self, one: _Told) -> _Told:
        """The outcome with its numbers, read by the trunk rules of the pinned marketplace, or else of its beginning."""
        outcome = one.outcome
        if outcome.invite is None:
            return one
        its = self._pins.of(one.call_id)
        version = its.marketplace_version if its is not None else self._past.version(outcome.began_at)
        rules = Trunk()
        if version is not None:
            with suppress(DocumentUnreadable, NotPinned):  # `_settle` reports this error
                rules = self._snapshot_of(version).marketplace.trunk(outcome.trunk)
        return replace(one, outcome=heard(outcome, rules))

    def _save(self, batch: Sequence[_Told], why: str) -> dict[str, str]:
        """Saves the calls not saved yet. Returns, by id, why others cannot be saved. Raises as `_save_all`."""
        there = calls.saved(self._engine, [one.call_id for one in batch])
        settlements: list[Settlement] = []
        reasons: dict[str, str] = {}
        for one in batch:
            if one.call_id in there:
                continue
            try:
                settlements.append(self._settle(one.outcome, why))
            except (DocumentUnreadable, NotPinned) as error:
                reasons[one.call_id] = str(error)
            except _TO_BE_TRIED_AGAIN:
                raise
            except Exception as error:
                log.error("a call's outcome cannot be settled: %s", error, exc_info=error)
                reasons[one.call_id] = _named(error)
        return reasons | self._save_together(settlements)

    def _save_together(self, settlements: Sequence[Settlement]) -> dict[str, str]:
        """Saves them in one transaction; if one of them cannot be saved, each in its own transaction."""
        try:
            _, bad = save_or_tell(self._engine, settlements, of_others=True)
            return {settlement.record.id: reason for settlement, reason in bad}
        except _TO_BE_TRIED_AGAIN:
            raise
        except Exception as error:
            log.error("a call's outcome cannot be saved: %s", error, exc_info=error)
            if len(settlements) == 1:
                return {settlements[0].record.id: _named(error)}
            reasons: dict[str, str] = {}
            for settlement in settlements:
                reasons |= self._save_together([settlement])
            return reasons

    def _settle(self, outcome: Outcome, why: str) -> Settlement:
        """The call's record and transfers, under the marketplace that it is pinned to."""
        record = begin(outcome)
        whose = self._whose(record)
        tables = self._geography if whose is None else whose[0].geography
        place = locate(tables, None, outcome.ani, outcome.did)
        record.place = place.record()
        if whose is None:
            fill_in(record, outcome, None, why)
            record.disposition = "unknown_number"
            return Settlement(record, conclude(record, None, place, "UTC", {}, tables))
        snapshot, found = whose
        pin(record, found, snapshot.marketplace.currency_of(found.campaign))
        fill_in(record, outcome, _winner(outcome, snapshot.marketplace.destinations), why)
        timezone = snapshot.marketplace.advertisers[found.campaign.advertiser].timezone
        arrival = Arrival(record.did, record.ani, record.started_at, record.attestation)
        refusal = refusal_by_rules(snapshot, arrival, found)
        if refusal is not None and not outcome.dial_status:
            record.disposition = refusal.disposition
            record.events.append(TimelineEvent(record.started_at, EventName.REFUSED, refusal.reason))
        transfers = conclude(record, found, place, timezone, self._earlier(record, found.campaign), tables)
        return Settlement(record, transfers)

    def _whose(self, record: CallRecord) -> tuple[Snapshot, Attribution] | None:
        """The call's attribution and its marketplace: as `route` pinned them, or else as of the call's beginning."""
        its = self._pins.of(record.id)
        if its is not None:
            snapshot = self._snapshot_of(its.marketplace_version)
            found = pinned(snapshot, its)
            if found is None:
                raise NotPinned(f"marketplace {snapshot.version} has no campaign {its.campaign}")
            return snapshot, found
        then = self._past.assigned(record.did, record.started_at)
        version = self._past.version(record.started_at)
        if then is None or version is None:
            return None
        snapshot = self._snapshot_of(version)
        if then.campaign not in snapshot.marketplace.campaigns:
            raise NotPinned(f"marketplace {version} has no campaign {then.campaign}")
        number = Number(then.campaign, then.publisher, then.source)
        found = attribute_to(snapshot, number, record.started_at)
        why = self._past.suspended(then.campaign, then.publisher, record.started_at)
        return snapshot, replace(found, suspended=why)

    def _snapshot_of(self, version: int) -> Snapshot:
        """The snapshot of a version. Raises DocumentUnreadable, or NotPinned when there is no such version."""
        if version not in self._snapshots:
            loaded = marketplaces.load_version(self._engine, version)
            if loaded is None:
                raise NotPinned(f"there is no marketplace {version}")
            self._snapshots[version] = loaded.snapshot(self._geography)
            if len(self._snapshots) > VERSIONS_KEPT:
                self._snapshots.popitem(last=False)
        return self._snapshots[version]

    def _earlier(self, record: CallRecord, campaign: Campaign) -> dict[RepeatKind, EarlierCall]:
        found = {kind: calls.earlier_call(self._engine, record, *kind) for kind in kinds_of([campaign])}
        return {kind: call for kind, call in found.items() if call is not None}


def _batches(told: Iterable[_Told]) -> Iterator[list[_Told]]:
    """Batches of at most BATCH calls, one call of each caller: to detect a repeat, earlier calls must be saved."""
    batch: dict[str, _Told] = {}
    for one in told:
        caller = one.outcome.ani or one.call_id
        if caller in batch or len(batch) == BATCH:
            yield list(batch.values())
            batch = {}
        batch[caller] = one
    if batch:
        yield list(batch.values())


def _named(error: Exception) -> str:
    """The text for an unexpected error."""
    return f"{type(error).__name__}: {error}"


def _winner(outcome: Outcome, destinations: Mapping[str, Destination]) -> str | None:
    """The rung destination whose dial target has answered, as Asterisk reports."""
    targets = {
        endpoint(destinations[name].dial).removeprefix("PJSIP/"): name
        for name in outcome.rung
        if name in destinations
    }
    return targets.get(outcome.answered_by)
