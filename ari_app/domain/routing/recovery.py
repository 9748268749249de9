"""Calls that a switch left when it died: what becomes of each, by what the journal says and what is in Asterisk.

both still in their bridge     talking   watched to its end, settled with its whole duration
the caller, left by the agent  transferring  whom the agent wanted to transfer the caller to is rung once more
the caller, never connected    again     asks the caller the same question again, or offers the call again
anything else                  over      settled as it stood, with an end no later than the last we know of it
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ari_app.domain.basics.clock import LAST_MS
from ari_app.domain.calls.record import CallRecord, EndSource, LegOutcome, LegRecord, TimelineEvent
from ari_app.domain.calls.stage import ROWS, Fate, Role, Stage
from ari_app.domain.routing import conversation
from ari_app.domain.routing.conversation import AllGone, Conversation, Joined, Lost, Unbridged
from ari_app.domain.routing.lifesigns import LineUnderWay
from ari_app.domain.routing.snapshot import Pin
from ari_app.domain.routing.transfers import is_with_transferee, pending


@dataclass(frozen=True, slots=True)
class Timeline:
    """A call's clock, so that the next process can continue it: the machine's monotonic clock plus `offset_ms`.

    `boot` identifies the start of the machine: the monotonic clock begins anew with each start.
    """

    boot: str
    offset_ms: int


@dataclass(slots=True)
class UnderWay:
    """A call that is not over: its record so far, and where to find its channels in Asterisk.

    `parties`: the channel of each party, by role; the agent's from the award to the end of the conversation.
    `marketplace_version`: the snapshot that the call began with.
    `destinations`: those of its race, by the number of the leg.
    `restarts`: how often the call was restarted after a switch had died.
    `node`: the node of the campaign's flow at which the caller is; None: before the flow.
    `entered_zip`: the ZIP code that the caller entered in the flow.
    `trunk`: the PJSIP endpoint that the call came in by; None: by something else.
    `timeline`: the call's clock; it goes on even if the system's clock is set.
    `is_lent`: the caller's channel has left Stasis for another racer, and is expected back.
    `lines`: the line of each party of the conversation, by role, where there is something to know of it.
    `last_seen` (ms): until when a switch looked after the call; kept until a later switch has looked at Asterisk.
    """

    record: CallRecord
    parties: dict[Role, str]
    marketplace_version: int
    destinations: list[str] = field(default_factory=list)
    stage: Stage = Stage.ARRIVING
    is_lent: bool = False
    restarts: int = 0
    trunk: str | None = None
    node: str | None = None
    entered_zip: str | None = None
    timeline: Timeline | None = None
    lines: dict[Role, LineUnderWay] = field(default_factory=dict)
    last_seen: int | None = None

    @property
    def caller(self) -> str:
        """The caller's channel."""
        return self.parties["caller"]

    @property
    def agent(self) -> str | None:
        """The channel of the agent who has the call; None: no agent has it."""
        return self.parties.get("agent")

    def role_of(self, channel_id: str) -> Role | None:
        """Whose channel it is; None: of no party."""
        return next((role for role, name in self.parties.items() if name == channel_id), None)

    def line(self, role: Role) -> LineUnderWay:
        """What is known of a party's line."""
        return self.lines.setdefault(role, LineUnderWay())

    @property
    def transferee(self) -> str | None:
        """The channel of whom the agent transfers the caller to; None: nobody is rung or talks so."""
        return self.parties.get("transferee")

    @property
    def partners(self) -> set[str]:
        """The channels of whom the caller talks to, or waits for: when all are gone, the conversation is over."""
        agent = None if is_with_transferee(self.record) else self.agent
        return {channel for channel in (agent, self.transferee) if channel is not None}

    @property
    def pin(self) -> Pin | None:
        """What the call is pinned to; None: it is not attributed yet, or the number called is nobody's."""
        record = self.record
        if record.campaign is None or record.publisher is None or record.terms_version is None:
            return None
        whose = record.campaign, record.publisher, record.source
        return Pin(self.marketplace_version, *whose, record.terms_version)

    @property
    def name(self) -> str:
        """The beginning of the ids of everything created for the call in Asterisk; each restart has another one."""
        return f"{self.record.id}-r{self.restarts}" if self.restarts else self.record.id


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of one call in Asterisk: whether the caller's and the agent's channels exist and share a bridge.

    Of a call that the agent has transferred, the transferee's in place of the agent's.
    """

    caller: bool
    agent: bool
    together: bool


def fate(call: UnderWay, remains: Remains) -> Fate:
    """What becomes of the call."""
    if remains.together:
        return "talking"
    if remains.caller and not remains.agent and call.stage is Stage.TALKING and pending(call.record):
        return "transferring"
    return ROWS[call.stage].restart if remains.caller else "over"


def winning_leg(record: CallRecord) -> LegRecord | None:
    """The leg that has the call now, or had it last."""
    return next((leg for leg in reversed(record.legs) if leg.outcome == "won"), None)


def give_up(record: CallRecord, last_seen: int) -> None:
    """Ends the record of a call whose journal line cannot be read, except for how the call began. Nobody is charged."""
    record.disposition, record.end_source = "failed", "system"
    record.ended_at = max(last_seen, record.started_at)
    record.durations_ms.total = record.ended_at - record.started_at
    what = "the switch that served it died, and what it wrote down of the call cannot be read"
    record.events.append(TimelineEvent(record.ended_at, "failed", what))


def assume_awarded(record: CallRecord, destination: str, now: int) -> None:
    """The agent won in the last moment before the switch died, and the award did not reach the journal."""
    for leg in (leg for leg in record.legs if leg.outcome is None):
        if leg.destination == destination:
            leg.outcome, leg.accepted_at = "won", now
        else:
            leg.outcome, leg.ended_at = "lost", now


def assume_connected(record: CallRecord, now: int) -> None:
    """They talk, but the beginning did not reach the journal: the conversation counts from when the agent accepted."""
    leg = winning_leg(record)
    record.winner = leg.destination if leg else None
    record.connected_at = leg.accepted_at if leg and leg.accepted_at else now
    record.disposition = "connected"


def restart(record: CallRecord, last_seen: int) -> None:
    """The caller waits at the same place in the flow as before; earlier offers stay on record."""
    record.disposition = record.winner = record.connected_at = record.offered_at = None
    record.excluded = []
    record.legs = [_ended(replace(leg, outcome=_outcome(leg)), last_seen) for leg in record.legs]


def close(record: CallRecord, remains: Remains, last_seen: int) -> EndSource:
    """Ends the record; who ended the call, as far as can be told."""
    record.legs = [_ended(replace(leg, outcome=leg.outcome or "cancelled"), last_seen) for leg in record.legs]
    for transfer in record.transfers:
        transfer.outcome, transfer.ended_at = transfer.outcome or "cancelled", transfer.ended_at or last_seen
    if record.winner is None or record.connected_at is None:
        return "caller"
    record.disposition = "connected"
    talk = Conversation(LAST_MS)
    talk.handle(Joined("agent"), record.connected_at)
    talk.handle(_seen(remains), last_seen)
    if not record.durations_ms.connected:  # or it was over, and measured
        record.durations_ms.connected = talk.talked_ms
    return talk.ended_by or "system"


def _seen(remains: Remains) -> conversation.TalkEvent:
    """The event for two parties who talked and do not talk any more."""
    match remains.caller, remains.agent:
        case True, True:
            return Unbridged()
        case True, False:
            return Lost("agent")
        case False, True:
            return Lost("caller")
        case _:
            return AllGone()


def _outcome(leg: LegRecord) -> LegOutcome:
    """A winner that was never connected is recorded as failed; legs that still rang, as cancelled."""
    return "failed" if leg.outcome == "won" else leg.outcome or "cancelled"


def _ended(leg: LegRecord, at: int) -> LegRecord:
    return leg if leg.ended_at is not None else replace(leg, ended_at=max(at, leg.offered_at))
