"""The call record: what happened to one call, and why. Its fields are a contract (docs/record.md).

Times are integers, milliseconds since the epoch (UTC). Amounts are integers in the currency's minor unit. In JSON a
time is ISO 8601 and an amount has decimals (`ari_app/views/record.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.market.shapes import Attestation
from ari_app.domain.market.terms import DurationOf

Disposition = Literal[
    "connected",  # an agent and the caller were bridged
    "no_answer",  # offered, nobody accepted
    "no_route",  # no destination was eligible
    "abandoned_ivr",  # the caller hung up before the offer
    "abandoned_queue",  # the caller hung up while agents were rung
    "flow_ended",  # the IVR flow ended the call (no input, wrong input, not wanted)
    "blocked",  # screened: a blocked, anonymous, unattested or redialling caller, or one who calls too often
    "closed",  # screened: the campaign is not live, or outside its hours
    "capped",  # a cap of its campaign, publisher or advertiser or trunk, or a number's rate limit, is full
    "unknown_number",  # the number called belongs to no campaign
    "failed",  # an error of ours or of Asterisk ended it
]
LegOutcome = Literal[
    "won",  # accepted first
    "lost",  # another accepted first
    "declined",  # pressed the decline digit, or refused the call on the phone
    "no_answer",  # did not accept in time, answered or not
    "busy",
    "forwarded",  # the phone says that its calls are taken elsewhere; nobody is dialled there
    "failed",  # could not be reached, answered without sound, or its channel ended after it had won
    "cancelled",  # the caller hung up
]
TransferOutcome = Literal[
    "connected",  # the caller talked to whom the agent asked for
    "refused",  # it may not be reached, or has no room
    "declined",  # it would not take the call
    "busy",
    "no_answer",
    "failed",  # it could not be reached, answered without sound, or the switch was started anew meanwhile
    "cancelled",  # the caller hung up, or the call ended otherwise
]
EndSource = Literal["caller", "agent", "system"]


@dataclass(frozen=True, slots=True)
class LineRecord:
    """The line of a party in the conversation. Times in ms.

    `last_packet_at`: when the last RTP packet was known to come from it; None: none did, or it was not looked at.
    `held_ms`: for how long it had the other on hold. `died_at`: its last sign of life, if it was found dead.
    """

    last_packet_at: int | None = None
    held_ms: int = 0
    died_at: int | None = None


@dataclass(slots=True)
class LegRecord:
    """One offer to one destination. `lost_by_ms`: how long after the winner it accepted.

    `failure`: why Asterisk did not dial it, in its words: "409 Channel with given unique ID already exists"; or how its
    trunk failed it: "trunk main answered 503".
    `forwarded_to`: where the phone says that its calls are taken, as it says so: anything may stand there.
    `rtp`, `line`: what its line carried, and was like; only of the one who had the call.
    """

    destination: str
    wave: int
    offered_at: int
    outcome: LegOutcome | None = None
    ringing_at: int | None = None
    answered_at: int | None = None
    accepted_at: int | None = None
    ended_at: int | None = None
    lost_by_ms: int | None = None
    hangup_cause: int | None = None
    failure: str | None = None
    forwarded_to: str | None = None
    rtp: RtpStatistics | None = None
    line: LineRecord | None = None


@dataclass(slots=True)
class TransferRecord:
    """An agent asked for a transfer. `asked`: to what, as the phone wrote it; anything may stand there.

    `to`: the destination's id, or the number (E.164), that was reached for; None: neither. `trunk`: what dialled it.
    `why`: why it was refused, or failed. `rtp`: what the line of whom it reached carried.
    """

    asked: str
    asked_at: int
    to: str | None = None
    trunk: str | None = None
    outcome: TransferOutcome | None = None
    why: str | None = None
    ringing_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    hangup_cause: int | None = None
    rtp: RtpStatistics | None = None


@dataclass(slots=True)
class PlaceRecord:
    """Where the caller was taken to be, and from what."""

    state: str | None = None
    zip: str | None = None
    timezone: str | None = None
    from_: Literal["zip", "ani", "did", "unknown"] = "unknown"


@dataclass(slots=True)
class ClauseResult:
    """The result of one clause of the terms for one call.

    `waits_until` (ms): the clause awaits a conversion, and can still pass until then."""

    name: str
    passed: bool
    detail: str
    waits_until: int | None = None


@dataclass(slots=True)
class ShareOfPrice:
    """A payout that is a share of the price: `share` in hundredths of a percent, its bounds in the minor unit."""

    share: int
    minimum: int | None = None
    maximum: int | None = None


@dataclass(slots=True)
class Part:
    """A part of the money that has clauses of its own: `price`, `payout` or `bonus NAME`. It is due when they passed.

    The fields `price` and `payout` are only for a bonus that was still open when the call ended: the price and payout
    that it would add to those in Money. They are calculated as if it were the only bonus. Where the payout is a share
    of the price (`share`), several bonuses together may add another amount, because their sum is rounded once and
    kept within the bounds once.
    """

    name: str
    due: bool
    clauses: list[ClauseResult]
    price: int = 0
    payout: int = 0
    share: ShareOfPrice | None = None


@dataclass(slots=True)
class Verdict:
    """Qualified when every clause passed. `parts` are judged separately; money without own clauses is no part."""

    qualified: bool
    clauses: list[ClauseResult]
    parts: list[Part] = field(default_factory=list)

    def is_due(self, part: str) -> bool:
        """Whether this part of the money is due: the call qualified, and the part's own clauses passed."""
        return self.qualified and all(found.due for found in self.parts if found.name == part)

    def waits(self, *parts: str) -> bool:
        """Whether these parts of the money can still become due together."""
        own = (clause for found in self.parts if found.name in parts for clause in found.clauses)
        return may_pass_until([*self.clauses, *own]) is not None

    @property
    def late(self) -> list[Part]:
        """The bonuses that were not decided at the end of the call."""
        return [part for part in self.parts if part.price or part.payout]

    @property
    def waits_until(self) -> int | None:
        """Until when (ms) some of the money can still become due; None: everything is decided."""
        together = [self.clauses, *([*self.clauses, *part.clauses] for part in self.parts)]
        return max(filter(None, map(may_pass_until, together)), default=None)


def may_pass_until(clauses: Sequence[ClauseResult]) -> int | None:
    """Until when (ms) all of the clauses can still pass; None: all passed, or one failed for good."""
    waits = [clause.waits_until for clause in clauses if not clause.passed]
    return None if None in waits else max((until for until in waits if until is not None), default=None)


@dataclass(slots=True)
class Money:
    """What the terms say (`price`, `payout`), and what was moved (`charged`, `paid`).

    `reserved` is the most that the call could cost, which was held for it; None in records of earlier versions.
    """

    currency: str
    price: int
    payout: int
    charged: int = 0
    paid: int = 0
    reserved: int | None = None


@dataclass(slots=True)
class TimelineEvent:
    """One line of the timeline."""

    at: int
    what: str
    detail: str = ""


@dataclass(slots=True)
class Tracks:
    """The recording of a call: when it began, until when it is kept, when it was deleted. Times in ms.

    See `ari_app.domain.calls.recording`."""

    started_at: int
    keep_until: int
    deleted_at: int | None = None


@dataclass(slots=True)
class Conversion:
    """What the advertiser reported at `told_at`: the call became a sale at `at`, named `ref`. Times in ms."""

    at: int
    told_at: int
    ref: str | None = None


@dataclass(slots=True)
class Exclusion:
    """A destination that was not offered the call, and the reason."""

    destination: str
    reason: str


@dataclass(slots=True)
class Durations:
    """Milliseconds: the whole call; in the IVR; waiting for an agent; connected to one, and to whom one transferred it.

    `first`: of `connected`, the part with the agent; None: it is all of it, as there was no transfer.
    """

    total: int = 0
    ivr: int = 0
    wait: int = 0
    connected: int = 0
    first: int | None = None

    def of(self, part: DurationOf) -> int:
        """How long the conversation was, or the part of it that counts."""
        return self.connected if part == "whole" or self.first is None else self.first


@dataclass(slots=True)
class CallRecord:
    """One call, from INVITE to settlement.

    `did` is empty where what was called is no telephone number. `diversion` and `history_info` are what such headers
    say of how the call came here, as they were written. `rtp`, `line`: what the line of a caller who talked to an agent
    carried, and was like.
    """

    id: str
    did: str
    ani: str | None
    started_at: int
    attestation: Attestation | None = None
    campaign: str | None = None
    advertiser: str | None = None
    publisher: str | None = None
    source: str | None = None
    terms_version: int | None = None
    disposition: Disposition | None = None
    answered_at: int | None = None
    offered_at: int | None = None
    connected_at: int | None = None
    ended_at: int | None = None
    end_source: EndSource | None = None
    answers: dict[str, str] = field(default_factory=dict)
    place: PlaceRecord = field(default_factory=PlaceRecord)
    legs: list[LegRecord] = field(default_factory=list)
    winner: str | None = None
    excluded: list[Exclusion] = field(default_factory=list)
    durations_ms: Durations = field(default_factory=Durations)
    qualification: Verdict | None = None
    money: Money | None = None
    conversion: Conversion | None = None
    recording: Tracks | None = None
    rtp: RtpStatistics | None = None
    line: LineRecord | None = None
    events: list[TimelineEvent] = field(default_factory=list)
    diversion: list[str] = field(default_factory=list)
    history_info: list[str] = field(default_factory=list)
    transfers: list[TransferRecord] = field(default_factory=list)

    @property
    def transferee(self) -> TransferRecord | None:
        """The transfer by which the caller has, or last had, somebody else than the agent."""
        return next((one for one in reversed(self.transfers) if one.outcome == "connected"), None)

    @property
    def waits_until(self) -> int | None:
        """Until when (ms) the call awaits a conversion; None: it was never judged, or everything is decided."""
        return self.qualification.waits_until if self.qualification else None


def track_files(call_id: str) -> dict[str, str]:
    """The file names of a call's recording, by the party whose voice is in the file; made from the call's id."""
    return {party: f"{call_id}-{party}.wav" for party in ("caller", "agent")}


def talkers_of(record: CallRecord) -> dict[str | None, LineRecord]:
    """The lines of the conversation: of the agent who had the call, by destination; None stands for the caller."""
    own: dict[str | None, LineRecord] = {} if record.line is None else {None: record.line}
    return own | {leg.destination: leg.line for leg in record.legs if leg.line is not None}


def lines_of(record: CallRecord) -> Iterator[tuple[str | None, RtpStatistics]]:
    """The known RTP statistics of a call: of each who talked, by destination or number; None stands for the caller."""
    if record.rtp is not None:
        yield None, record.rtp
    for leg in record.legs:
        if leg.rtp is not None:
            yield leg.destination, leg.rtp
    for transfer in record.transfers:
        if transfer.to is not None and transfer.rtp is not None:
            yield transfer.to, transfer.rtp
