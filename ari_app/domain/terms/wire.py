"""Calls as JSON, kept in files until the database has them. Reading returns what was written.

The format has a version. It rises when an older Callrace would misread the file: a Callrace that does not know the
version refuses the file. A newer Callrace reads older formats: `_UnderWayLine1` is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from ari_app.domain.basics.clock import LAST_MS
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import Role, Stage
from ari_app.domain.ledger.transfers import Transfer
from ari_app.domain.routing.recovery import Timeline, UnderWay
from ari_app.domain.routing.snapshot import Pin

_T = TypeVar("_T")


class Unreadable(ValueError):
    """The text is no call that this Callrace can read."""


@dataclass(frozen=True, slots=True)
class _SettledFile:
    record: CallRecord
    transfers: list[Transfer]
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class _UnderWayLine:
    call: UnderWay
    version: Literal[2] = 2


@dataclass(frozen=True, slots=True)
class _UnderWay1:
    """A call under way as version 1 wrote it: its parties had a field each, its stage was in its record."""

    record: CallRecord
    channel_id: str
    marketplace_version: int
    destinations: list[str] = field(default_factory=list)
    agent_channel_id: str | None = None
    restarts: int = 0
    trunk: str | None = None
    node: str | None = None
    entered_zip: str | None = None
    timeline: Timeline | None = None
    last_seen: int | None = None

    def now(self) -> UnderWay:
        """The call as it is written now."""
        parties: dict[Role, str] = {"caller": self.channel_id}
        if self.agent_channel_id is not None:
            parties["agent"] = self.agent_channel_id
        return UnderWay(
            self.record,
            parties,
            self.marketplace_version,
            self.destinations,
            self._stage(),
            restarts=self.restarts,
            trunk=self.trunk,
            node=self.node,
            entered_zip=self.entered_zip,
            timeline=self.timeline,
            last_seen=self.last_seen,
        )

    def _stage(self) -> Stage:
        record = self.record
        if record.winner is not None:
            return Stage.TALKING
        if record.disposition is not None:
            return Stage.ENDING
        if self.agent_channel_id is not None:
            return Stage.BRIDGING
        if record.offered_at is not None:
            return Stage.WAITING
        return Stage.ARRIVING if record.answered_at is None else Stage.IVR


@dataclass(frozen=True, slots=True)
class _UnderWayLine1:
    call: _UnderWay1
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class _OverLine:
    over: str
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class _PinLine:
    call: str
    pin: Pin
    version: Literal[1] = 1


_SETTLED = TypeAdapter(_SettledFile)
_UNDER_WAY = TypeAdapter(_UnderWayLine)
_OVER = TypeAdapter(_OverLine)
_PIN = TypeAdapter(_PinLine)
_LINE: TypeAdapter[_UnderWayLine | _OverLine | _UnderWayLine1] = TypeAdapter(
    _UnderWayLine | _OverLine | _UnderWayLine1
)


# What every version of a call's line has had at its beginning.
_BEGINNING = re.compile(
    rb'"record":\{"id":"([0-9a-f]{23})","did":"(\+\d{7,15})","ani":(?:null|"(\+\d{7,15})"),"started_at":(\d{13}),'
)


def pack_settled(record: CallRecord, transfers: Sequence[Transfer]) -> bytes:
    """A settled call as JSON. A field with an unexpected value is written all the same, as it is."""
    return _SETTLED.dump_json(_SettledFile(record, list(transfers)), warnings=False)


def unpack_settled(content: bytes) -> tuple[CallRecord, list[Transfer]]:
    """The call that `pack_settled` wrote. Raises Unreadable."""
    file = _read(_SETTLED, content)
    return file.record, file.transfers


def pack_under_way(call: UnderWay) -> bytes:
    """A call under way, in one line."""
    return _UNDER_WAY.dump_json(_UnderWayLine(call), warnings=False)


def pack_over(call_id: str) -> bytes:
    """A line which says that a call is over."""
    return _OVER.dump_json(_OverLine(call_id))


def unpack_line(content: bytes) -> tuple[str, UnderWay | None]:
    """The id and the call that `pack_under_way` wrote; the call is None in a line of `pack_over`. Raises Unreadable."""
    line = _read(_LINE, content)
    if isinstance(line, _OverLine):
        return line.over, None
    call = line.call if isinstance(line, _UnderWayLine) else line.call.now()
    record = call.record
    is_nowhen = not record.events and record.ended_at is None
    if is_nowhen or not all(0 <= at <= LAST_MS for at in _moments(record)):
        raise Unreadable(f"call {record.id}: without a moment at which it can have been")
    return record.id, call


def salvaged(content: bytes) -> CallRecord | None:
    """Who called which number, and when, from a line that is Unreadable; None: that cannot be read, either."""
    found = _BEGINNING.search(content)
    if found is None:
        return None
    call_id, did, ani, started_at = (None if part is None else part.decode() for part in found.groups())
    assert call_id is not None and did is not None and started_at is not None
    return CallRecord(call_id, did, ani, int(started_at))


def pack_pinned(call_id: str, pin: Pin) -> bytes:
    """What a call is pinned to, in one line."""
    return _PIN.dump_json(_PinLine(call_id, pin))


def unpack_pinned(content: bytes) -> tuple[str, Pin]:
    """The pin that `pack_pinned` wrote. Raises Unreadable."""
    line = _read(_PIN, content)
    return line.call, line.pin


def _moments(record: CallRecord) -> Iterator[int]:
    """The times of a record, ms."""
    yield record.started_at
    told = [record.answered_at, record.offered_at, record.connected_at, record.ended_at]
    for leg in record.legs:
        told += leg.offered_at, leg.ringing_at, leg.answered_at, leg.accepted_at, leg.ended_at
    for one in record.transfers:
        told += one.asked_at, one.ringing_at, one.answered_at, one.ended_at
    yield from (at for at in told if at is not None)
    yield from (event.at for event in record.events)


def _read(adapter: TypeAdapter[_T], content: bytes) -> _T:
    try:
        return adapter.validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise Unreadable(f"{where}: {first['msg']}") from error
