"""Calls that the dialplan served by itself while no switch was running: their records, made from the dialplan's lines.

A line says little: when the call began and ended, the result of Dial(), who answered and for how long. For the
phones that rang without an answer it has one result for all of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ari_app.domain.basics.fields import PHONE_NUMBER
from ari_app.domain.calls import telephone
from ari_app.domain.calls.carrier import Invite, invite_of, kept, signalled, trunk_of
from ari_app.domain.calls.record import CallRecord, Disposition, LegOutcome, LegRecord, TimelineEvent
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.attestation import attestation_of
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.market.shapes import Attestation

_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)
_DURATION = re.compile(r"\d{0,10}", re.ASCII)
_CALL_ID = re.compile(r"[0-9a-f]{23}", re.ASCII)
_UNIQUE_ID = re.compile(r"[A-Za-z0-9.-]{1,80}", re.ASCII)
_LEGS = re.compile(r"[a-z0-9&-]{1,1500}", re.ASCII)
_ATTESTATION = re.compile(r"[ABC]", re.ASCII)
_INVITE = re.compile(r"[A-Za-z0-9%&=._~!*'() -]{1,8000}", re.ASCII)
_STATUS = re.compile(r"[A-Z]{0,20}", re.ASCII)

FIELDS = 12
_OF_BEFORE = (10, 11)  # of a dialplan from before there was an attestation, or an INVITE
_ENDED = 9
NOBODY_THERE = "neither a switch nor the AGI server was there to serve it"
CUT_OFF = "Asterisk ended while the dialplan served the call; whether anybody talked, and for how long, nobody knows"
LEFT = "LEFT"  # not Asterisk's: the caller hung up while the dialplan waited for a switch
ELSEWHERE = (
    "ELSEWHERE"  # not Asterisk's: refused at once, as no switch was there and the carrier has another route
)
PASSED_ON = "PASSED"  # not Asterisk's: another program makes the record of this call
ROUNDING_MS = 100  # Asterisk reads its clock once for each time, and rounds each time by itself

# What DIALSTATUS means for the call, and for every phone that rang and did not win.
_DISPOSITIONS: dict[str, Disposition] = {
    "ANSWER": "connected",
    "CANCEL": "abandoned_queue",
    LEFT: "abandoned_ivr",
    ELSEWHERE: "failed",
}
_LEG_OUTCOMES: dict[str, LegOutcome] = {
    "ANSWER": "lost",
    "BUSY": "busy",
    "NOANSWER": "no_answer",
    "CANCEL": "cancelled",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the dialplan says of a call that is over. Times and `talked_ms` in milliseconds.

    `call_id` is the one that AGI `route` gave; None: `route` was not asked. `rung` are the destinations that
    were dialled. `dial_status` is Asterisk's DIALSTATUS, empty where nobody was dialled, or LEFT, ELSEWHERE or
    PASSED_ON; `answered_by` its DIALEDPEERNUMBER. With an `invite`, `did`, `ani` and
    `attestation` are not known before `heard`.
    """

    began_at: int
    unique_id: str
    did: str
    ani: str | None
    call_id: str | None
    rung: tuple[str, ...]
    dial_status: str
    answered_by: str
    talked_ms: int
    ended_at: int
    attestation: Attestation | None = None
    invite: Invite | None = None

    @property
    def trunk(self) -> str | None:
        """The PJSIP endpoint that the call came by, where the dialplan says so."""
        return trunk_of(self.invite.channel) if self.invite is not None else None


def outcome_of(fields: Sequence[str]) -> Outcome:
    """The outcome that a line of fields tells. Raises ValueError, naming the field that is wrong.

    Where a caller was erased, the field has spaces (`serving.traces`). Such a caller is anonymous.
    """
    if len(fields) in _OF_BEFORE:
        fields = [*fields, *[""] * (FIELDS - len(fields))]
    if len(fields) != FIELDS:
        raise ValueError(f"expected {FIELDS} fields, got {len(fields)}")
    began, unique_id, did, ani, call_id, legs, status, peer, talked, ended, attested, invite = fields
    outcome = Outcome(
        began_at=int(_matching(_MILLISECONDS, began, "the beginning")),
        unique_id=_matching(_UNIQUE_ID, unique_id, "the unique id"),
        did=_matching(PHONE_NUMBER, did, "the number called") if did or not invite else "",
        ani=telephone.caller(_matching(PHONE_NUMBER, ani, "the caller's number")) if ani.strip(" ") else None,
        call_id=_matching(_CALL_ID, call_id, "the call's id") if call_id else None,
        rung=tuple(_matching(_LEGS, legs, "the phones rung").split("&")) if legs else (),
        dial_status=_matching(_STATUS, status, "the dial status"),
        answered_by=peer,
        talked_ms=int(_matching(_DURATION, talked, "the time talked") or 0),
        ended_at=int(_matching(_MILLISECONDS, ended, "the end")),
        attestation=attestation_of(_matching(_ATTESTATION, attested, "the attestation"))
        if attested
        else None,
        invite=invite_of(_matching(_INVITE, invite, "the INVITE")) if invite else None,
    )
    lasted_ms = outcome.ended_at - outcome.began_at
    if outcome.talked_ms > lasted_ms + ROUNDING_MS:
        raise ValueError("the call talked for longer than it lasted")
    return replace(outcome, talked_ms=min(outcome.talked_ms, lasted_ms))


def heard(outcome: Outcome, rules: Trunk) -> Outcome:
    """The outcome with what the carrier told, by the rules of the trunk that the call came by."""
    if outcome.invite is None:
        return outcome
    told = signalled(outcome.invite, rules)
    return replace(outcome, did=told.did, ani=told.ani, attestation=told.attestation)


def has_ended(fields: Sequence[str]) -> bool:
    """Whether a line says how the call ended. False: it only says that the call began."""
    return len(fields) not in (FIELDS, FIELDS - 1) or fields[_ENDED] != ""


def cut_off(fields: Sequence[str], seen_at: int) -> Outcome:
    """The outcome of a call that ended because Asterisk ended, from the fields of the line written at its beginning.

    `seen_at` (ms): when the call was last seen in Asterisk.

    Raises ValueError, naming the field that is wrong.
    """
    began_at = int(_matching(_MILLISECONDS, fields[0], "the beginning"))
    ended = str(max(seen_at, began_at))
    return outcome_of([*fields[:_ENDED], ended, *fields[_ENDED + 1 :]])


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(f"{what} cannot be {text[:40]!r}")
    return text


def id_of(outcome: Outcome) -> str:
    """The id of the call. The same outcome always has the same id, however often its line is read."""
    return outcome.call_id or _id(outcome.began_at, outcome.unique_id)


def id_of_begun(began: str, unique_id: str) -> str:
    """The id of a call that has begun, from two fields of its line. Raises ValueError, which names the wrong field."""
    began_at = int(_matching(_MILLISECONDS, began, "the beginning"))
    return _id(began_at, _matching(_UNIQUE_ID, unique_id, "the unique id"))


def _id(began_at: int, unique_id: str) -> str:
    chance = hashlib.sha256(unique_id.encode()).hexdigest()[:10]
    return f"{began_at:013x}{chance}"


def begin(outcome: Outcome) -> CallRecord:
    """The record of the call when it came in."""
    record = CallRecord(
        id_of(outcome),
        outcome.did,
        outcome.ani,
        outcome.began_at,
        outcome.attestation,
        diversion=list(kept(outcome.invite, "Diversion")),
        history_info=list(kept(outcome.invite, "History-Info")),
    )
    called = record.did or "no telephone number"
    _note(record, record.started_at, EventName.RECEIVED, f"{record.ani or 'anonymous'} called {called}")
    return record


def fill_in(record: CallRecord, outcome: Outcome, winner: str | None, why: str = NOBODY_THERE) -> None:
    """Adds to the record how the call went; the verdict is not part of that. `why`: the reason, if the call failed.

    `winner` is the destination that answered. None: somebody answered for whom no advertiser pays.
    """
    record.ended_at = outcome.ended_at
    record.disposition = _disposition(outcome)
    if outcome.dial_status == ELSEWHERE:
        record.end_source = "system"
        _note(
            record,
            outcome.ended_at,
            EventName.REFUSED,
            "no switch was connected, and the carrier has another route",
        )
        return
    if record.disposition == "failed":
        _note(record, record.started_at, EventName.FAILED, why)
    if outcome.dial_status == LEFT:
        record.end_source = "caller"
        _note(record, outcome.ended_at, EventName.CALLER_HUNG_UP, "no switch was connected yet")
        return
    if outcome.dial_status:
        record.answered_at = record.offered_at = outcome.began_at
        record.legs = [_leg(outcome, name, name == winner) for name in outcome.rung]
        _note(
            record,
            outcome.began_at,
            EventName.RUNG_BY_THE_DIALPLAN,
            ", ".join(outcome.rung) or "the last resort",
        )
    talking_at = outcome.ended_at - outcome.talked_ms
    if winner is not None:  # who of the two hung up is not told
        record.winner = winner
        record.connected_at = talking_at
        record.durations_ms.connected = outcome.talked_ms
        _note(record, talking_at, EventName.CONNECTED, winner)
    elif outcome.dial_status == "ANSWER":
        record.disposition = "failed"
        detail = "no agent could be rung; the number of last resort answered, which is no destination"
        _note(record, talking_at, EventName.FAILED, detail)
    else:
        record.end_source = "caller" if outcome.dial_status == "CANCEL" else "system"


def _disposition(outcome: Outcome) -> Disposition:
    if outcome.dial_status:
        return _DISPOSITIONS.get(outcome.dial_status, "no_answer")
    return "failed" if outcome.call_id is None else "no_route"


def _leg(outcome: Outcome, name: str, is_winner: bool) -> LegRecord:
    leg = LegRecord(destination=name, wave=1, offered_at=outcome.began_at, ended_at=outcome.ended_at)
    if is_winner:
        leg.outcome = "won"
        leg.answered_at = leg.accepted_at = outcome.ended_at - outcome.talked_ms
    else:
        leg.outcome = _LEG_OUTCOMES.get(outcome.dial_status, "failed")
    return leg


def _note(record: CallRecord, at: int, what: EventName, detail: str) -> None:
    record.events.append(TimelineEvent(at, what, detail))
