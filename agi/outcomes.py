"""What became of calls that the dialplan served by itself, made into records and settled.

The dialplan writes a line a call into a file, and `record` writes the same line into another; here both are
read. A file is put aside under another name, read, saved, and then removed: a line is lost at no moment, and
a call that was saved before stays as it is, so nothing counts twice. The dialplan tells of a call when it begins,
too: one that Asterisk ended with (`begun`) is closed for that reason, without money. Of a call that a switch came
back for in time, the switch makes the record.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

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
    id_of,
    outcome_of,
)
from ari_app.domain.calls.geo import Geography, locate
from ari_app.domain.calls.record import CallRecord, Event
from ari_app.domain.market.campaigns import Campaign
from ari_app.domain.market.destinations import Destination
from ari_app.domain.market.marketplace import Number
from ari_app.domain.routing.screening import refusal_by_rules
from ari_app.domain.routing.snapshot import Attribution, Pin, Snapshot, attribute_to, pinned
from ari_app.domain.terms.qualification import EarlierCall
from ari_app.domain.terms.repeats import Kind, kinds_of
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
from ari_app.store.market import applications, marketplaces, numbers

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LONGEST_LINE = 2_000
WAIT_S = 300.0
VERSIONS_KEPT = 3  # calls that end together began with the same, or nearly


class NotPinned(Exception):
    """What a call was pinned to, or its number belonged to, is in no marketplace; the message says what."""


Channels = Callable[[], Awaitable[Collection[str]]]
"""The ids of Asterisk's channels now. Raises AriError, or SettingsError where it cannot be asked."""


class Outcomes:
    """Reads `files`, the lines of which are told by the dialplan or by `tell`.

    A line that tells of no call that can be recorded is put aside, named in the log and by `callrace doctor`.
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
        """`tell` writes to the last of the files. `spool` is where ended calls of a switch wait for the database.

        `has_left_calls` says whether a switch died with calls in hand that no other has taken up yet.
        """
        self._engine = engine
        self._geography = geography
        self._files = files
        self._channels = channels
        self._chores = chores or Chores()
        self._spool = spool
        self._has_left_calls = has_left_calls
        self._waits_since: float | None = None  # for a switch
        self._begun = Begun(files[0].with_suffix(".open"))
        self._pins = Pins(files[-1].with_suffix(".pins"))
        self._snapshots: OrderedDict[int, Snapshot] = OrderedDict()  # without numbers, by version

    def pin(self, call_id: str, pin: Pin) -> None:
        """Remembers what a call that the dialplan serves is pinned to."""
        try:
            self._pins.add(call_id, pin)
        except OSError as error:
            log.error("call %s is pinned in memory alone: %s", call_id, error.strerror)

    def tell(self, fields: Sequence[str]) -> None:
        """Takes a call's outcome, durably. Raises ValueError for one that cannot be, and OSError."""
        outcome_of(fields)
        own = self._files[-1]
        own.parent.mkdir(parents=True, exist_ok=True)
        with own.open("a") as file:
            file.write(",".join(fields) + "\n")

    async def keep_reading(self) -> None:
        """Saves what is told, within two seconds or when the database is back. Runs for ever."""
        while True:
            for file in self._files:
                save = partial(asyncio.to_thread, self._save_aside, file)
                if not await self._chores.attempt(f"saving the calls of {file}", save):
                    self._begun.look_anew()
            await self._chores.attempt("looking after calls that the dialplan has begun", self._close_cut_off)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _close_cut_off(self) -> None:
        """Saves the calls that have ended with Asterisk. Raises what it meets."""
        if self._begun:
            gone = self._begun.cut_off(await self._channels(), CallClock().now())
            if gone:
                await asyncio.to_thread(self._save_cut_off, gone)

    def _save_cut_off(self, gone: Iterable[Outcome]) -> None:
        refused = []
        for outcome in gone:
            line = ",".join(self._begun.fields(outcome.unique_id))
            reason = self._save(outcome, CUT_OFF)
            refused += [(line, reason)] if reason is not None else []
        self._refuse(refused, refused_file(self._files[0]))
        self._begun.keep()

    def _save_aside(self, file: Path) -> None:
        """Saves what was put aside at the last look, so that nobody writes to it any more; puts the next aside."""
        aside = file.with_suffix(".aside")
        if self._is_ahead_of_a_switch():
            self._begun.look_anew()
            return
        if aside.exists():
            with aside.open(errors="replace") as lines:
                refused = [(line, why) for line in lines if (why := self._take(line)) is not None]
            self._refuse(refused, refused_file(file))
            self._begun.keep()
            aside.unlink()
        if file.exists():
            file.rename(aside)

    def _is_ahead_of_a_switch(self) -> bool:
        """Whether calls that a switch served before are not in the database yet: repeat callers are told by them.

        For WAIT_S at most: where no switch runs nobody empties the spool, or takes up the calls that one left.
        """
        is_spooled = self._spool is not None and has_any(self._spool)
        if not is_spooled and not self._has_left_calls():
            self._waits_since = None
            return False
        now = time.monotonic()
        self._waits_since = now if self._waits_since is None else self._waits_since
        return now - self._waits_since < WAIT_S

    def _refuse(self, refused: Iterable[tuple[str, str]], file: Path) -> None:
        """Keeps lines of which no record can be made. Not before all the others are saved: they may be read again."""
        for line, why in refused:
            log.error("a call's outcome is refused, and kept in %s: %s", file, why)
            with file.open("a") as kept:
                kept.write(line if line.endswith("\n") else f"{line}\n")

    def _take(self, line: str) -> str | None:
        """Takes one line; why no record can be made of it, or None. Raises what `_save` does."""
        fields = line.rstrip("\n")[:LONGEST_LINE].split(",")
        try:
            if not has_ended(fields):
                self._begun.add(fields)
                return None
            outcome = outcome_of(fields)
        except ValueError as error:
            return str(error)
        if outcome.dial_status == PASSED_ON:
            self._begun.end(outcome.unique_id)
            return None
        return self._save(outcome)

    def _save(self, outcome: Outcome, why: str = NOBODY_THERE) -> str | None:
        """Saves one call; why no record can be made of it, or None. `why` is why it failed, should it have.

        Raises OSError, StoreError and SQLAlchemyError where it is to be tried again.
        """
        try:
            settlement = self._settle(outcome, why)
            _, bad = save_or_tell(self._engine, [settlement], of_others=True)
            reason = bad[0][1] if bad else None
        except (DocumentUnreadable, NotPinned) as error:
            reason = str(error)
        except (OSError, StoreError, SQLAlchemyError):
            raise
        except Exception as error:
            log.error("a call's outcome cannot be settled: %s", error, exc_info=error)
            reason = f"{type(error).__name__}: {error}"
        self._begun.end(outcome.unique_id)
        if reason is None:
            self._pins.forget([id_of(outcome)])
        return reason

    def _settle(self, outcome: Outcome, why: str) -> Settlement:
        """The call's record and transfers, by what it is pinned to."""
        record = begin(outcome)
        place = locate(self._geography, None, outcome.ani, outcome.did)
        record.place = place.record()
        whose = self._whose(record)
        if whose is None:
            fill_in(record, outcome, None, why)
            record.disposition = "unknown_number"
            return Settlement(record, conclude(record, None, place, "UTC", {}, self._geography))
        snapshot, found = whose
        pin(record, found, snapshot.marketplace.currency_of(found.campaign))
        fill_in(record, outcome, _winner(outcome, snapshot.marketplace.destinations), why)
        timezone = snapshot.marketplace.advertisers[found.campaign.advertiser].timezone
        refusal = refusal_by_rules(
            snapshot.marketplace, found, record.ani, record.started_at, record.attestation
        )
        if refusal is not None and not outcome.dial_status:
            record.disposition = refusal.disposition
            record.events.append(Event(record.started_at, "refused", refusal.reason))
        transfers = conclude(
            record, found, place, timezone, self._earlier(record, found.campaign), self._geography
        )
        return Settlement(record, transfers)

    def _whose(self, record: CallRecord) -> tuple[Snapshot, Attribution] | None:
        """Whose a call is, and by which marketplace: as `route` said; where nobody asked it, as of when it began."""
        its = self._pins.of(record.id)
        if its is not None:
            snapshot = self._snapshot_of(its.marketplace_version)
            found = pinned(snapshot, its)
            if found is None:
                raise NotPinned(f"marketplace {snapshot.version} has no campaign {its.campaign}")
            return snapshot, found
        then = numbers.assigned(self._engine, record.did, record.started_at)
        version = marketplaces.version_at(self._engine, record.started_at)
        if then is None or version is None:
            return None
        snapshot = self._snapshot_of(version)
        if then.campaign not in snapshot.marketplace.campaigns:
            raise NotPinned(f"marketplace {version} has no campaign {then.campaign}")
        number = Number(then.campaign, then.publisher, then.source)
        found = attribute_to(snapshot, number, record.started_at)
        why = applications.suspended(self._engine, then.campaign, then.publisher, record.started_at)
        return snapshot, replace(found, suspended=why)

    def _snapshot_of(self, version: int) -> Snapshot:
        """Raises DocumentUnreadable, and NotPinned where there is no such version."""
        if version not in self._snapshots:
            loaded = marketplaces.load_version(self._engine, version)
            if loaded is None:
                raise NotPinned(f"there is no marketplace {version}")
            self._snapshots[version] = loaded.snapshot(self._geography)
            if len(self._snapshots) > VERSIONS_KEPT:
                self._snapshots.popitem(last=False)
        return self._snapshots[version]

    def _earlier(self, record: CallRecord, campaign: Campaign) -> dict[Kind, EarlierCall]:
        found = {kind: calls.earlier_call(self._engine, record, *kind) for kind in kinds_of([campaign])}
        return {kind: call for kind, call in found.items() if call is not None}


def _winner(outcome: Outcome, destinations: Mapping[str, Destination]) -> str | None:
    """The destination, of those rung, whose dial target Asterisk says has answered."""
    targets = {
        endpoint(destinations[name].dial).removeprefix("PJSIP/"): name
        for name in outcome.rung
        if name in destinations
    }
    return targets.get(outcome.answered_by)
