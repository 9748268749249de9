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
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from agi.begun import Begun
from ari_app.ari.errors import AriError
from ari_app.domain.fallback import (
    CUT_OFF,
    NOBODY_THERE,
    PASSED_ON,
    Outcome,
    begin,
    fill_in,
    has_ended,
    outcome_of,
)
from ari_app.domain.geo import Geography, locate
from ari_app.domain.marketplace import Campaign, Destination
from ari_app.domain.qualification import EarlierCall
from ari_app.domain.record import CallRecord, Event
from ari_app.domain.repeats import Kind, kinds_of
from ari_app.domain.screening import refusal_by_rules
from ari_app.domain.settlement import conclude, pin
from ari_app.domain.snapshot import Snapshot, attribute
from ari_app.settings import SettingsError
from ari_app.store import calls, marketplaces
from ari_app.store.calls import Settlement
from ari_app.store.errors import StoreError
from ari_app.switch.clock import CallClock
from ari_app.switch.legs import endpoint

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
LONGEST_LINE = 2_000

Channels = Callable[[], Awaitable[Collection[str]]]
"""The ids of Asterisk's channels now. Raises AriError, or SettingsError where it cannot be asked."""


class Outcomes:
    """Reads `files`, the lines of which are told by the dialplan or by `tell`."""

    def __init__(
        self, engine: Engine, geography: Geography, files: Sequence[Path], channels: Channels
    ) -> None:
        """`tell` writes to the last of the files."""
        self._engine = engine
        self._geography = geography
        self._files = files
        self._channels = channels
        self._begun = Begun(files[0].with_suffix(".open"))

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
                try:
                    await asyncio.to_thread(self._save_aside, file)
                except (OSError, SQLAlchemyError, StoreError) as error:
                    log.warning("calls wait in %s: %s", file, error)
                    self._begun.look_anew()
            try:
                await self._close_cut_off()
            except (AriError, SettingsError, OSError, SQLAlchemyError, StoreError) as error:
                log.warning(
                    "%d calls whose end is not told yet are not looked after: %s", len(self._begun), error
                )
            await asyncio.sleep(LOOK_EVERY_S)

    async def _close_cut_off(self) -> None:
        """Saves the calls that have ended with Asterisk. Raises what it meets."""
        if self._begun:
            gone = self._begun.cut_off(await self._channels(), CallClock().now())
            if gone:
                await asyncio.to_thread(self._save_cut_off, gone)

    def _save_cut_off(self, gone: Iterable[Outcome]) -> None:
        for outcome in gone:
            calls.save(self._engine, [self._settle(outcome, CUT_OFF)])
            self._begun.end(outcome.unique_id)
        self._begun.keep()

    def _save_aside(self, file: Path) -> None:
        """Saves what was put aside at the last look, so that nobody writes to it any more; puts the next aside."""
        aside = file.with_suffix(".aside")
        if aside.exists():
            with aside.open(errors="replace") as lines:
                self._save(lines, file.with_suffix(".refused"))
            self._begun.keep()
            aside.unlink()
        if file.exists():
            file.rename(aside)

    def _save(self, lines: Iterable[str], refused: Path) -> None:
        for line in lines:
            fields = line.rstrip("\n")[:LONGEST_LINE].split(",")
            try:
                if not has_ended(fields):
                    self._begun.add(fields)
                    continue
                outcome = outcome_of(fields)
            except ValueError as error:
                log.error("a call's outcome is refused, and kept in %s: %s", refused, error)
                with refused.open("a") as kept:
                    kept.write(line)
                continue
            if outcome.dial_status != PASSED_ON:
                calls.save(self._engine, [self._settle(outcome)])
            self._begun.end(outcome.unique_id)

    def _settle(self, outcome: Outcome, why: str = NOBODY_THERE) -> Settlement:
        """The call's record and transfers, by the marketplace that was in force when it began."""
        snapshot = self._snapshot_at(outcome.began_at)
        found = attribute(snapshot, outcome.did, outcome.began_at) if snapshot else None
        place = locate(self._geography, None, outcome.ani, outcome.did)
        record = begin(outcome)
        record.place = place.record()
        if snapshot is None or found is None:
            fill_in(record, outcome, None, why)
            record.disposition = "unknown_number"
            return Settlement(record, conclude(record, None, place, "UTC", {}, self._geography))
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

    def _snapshot_at(self, at: int) -> Snapshot | None:
        loaded = marketplaces.load(self._engine, at)
        if loaded is None:
            return None
        return loaded.snapshot(self._geography)

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
