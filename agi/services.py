"""The services: what is answered to the dialplan, as channel variables. No I/O but what `reserve` and `tell` do.

Every answer has CALLRACE_RESULT. To the dialplan a server that vanishes before it has answered looks like
one that has finished (AGISTATUS is SUCCESS), so only this variable says that there was an answer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random

from agi.conversation import VALUE_CHARACTERS, Request
from ari_app.domain.calls.geo import locate
from ari_app.domain.caps.counters import Answer, Wanted, wanted
from ari_app.domain.routing.intake import (
    UNCOUNTED,
    Arrival,
    Attributed,
    Ended,
    Intake,
    Offered,
    Reserve,
    Reserved,
    Take,
    Unknown,
)
from ari_app.domain.routing.routing import Decision
from ari_app.domain.routing.screening import refusal_by_rules
from ari_app.domain.routing.snapshot import Attribution, Pin, Snapshot, attribute, pin_of
from ari_app.serving.dialstrings import endpoint
from ari_app.serving.ids import mint_call_id

log = logging.getLogger(__name__)

Variables = dict[str, str]
ReserveRoom = Callable[[Wanted], Awaitable[Answer]]

PinCall = Callable[[str, Pin], None]
"""Remembers what a call is pinned to, by its id. Raises nothing."""

UNKNOWN: Variables = {"CALLRACE_RESULT": "UNKNOWN"}
"""The number called is nobody's."""

_TARGET = re.compile(r"PJSIP/[A-Za-z0-9._+-]+(?:/sip:[A-Za-z0-9._+@:;=-]+|@[a-z0-9-]+)?", re.ASCII)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._:/-]")


def lookup(snapshot: Snapshot, request: Request, now: int) -> Variables:
    """Whose the call is and where its caller is; CALLRACE_RESULT is FOUND or UNKNOWN.

    CALLRACE_SOURCE has a _ for every character that is not plain (letters, digits, space, . _ : / -).
    CALLRACE_BLOCKED is 1 when the campaign takes no call of this caller now: blocked, anonymous, unattested or
    closed. Redials and rate limits are not looked at: nobody counts them here. What is not known is empty.
    CALLRACE_LIMIT is how long a conversation may last, in seconds: no more is paid for.
    """
    found = _attribute(snapshot, request, now)
    if found is None or request.did is None:
        return dict(UNKNOWN)
    place = locate(snapshot.geography, None, request.ani, request.did)
    return {
        "CALLRACE_CAMPAIGN": found.campaign_id,
        "CALLRACE_PUBLISHER": found.number.publisher,
        "CALLRACE_SOURCE": _NOT_PLAIN.sub("_", found.number.source or ""),
        "CALLRACE_STATE": place.state or "",
        "CALLRACE_ZIP": place.zip or "",
        "CALLRACE_TIMEZONE": place.timezone or "",
        "CALLRACE_LIMIT": _limit(found),
        "CALLRACE_BLOCKED": "1" if _is_refused(snapshot, found, request, now) else "0",
        "CALLRACE_RESULT": "FOUND",
    }


async def route(
    snapshot: Snapshot, request: Request, now: int, random: Random, reserve: ReserveRoom, pin: PinCall
) -> Variables:
    """Whom to ring, as CALLRACE_DIAL for Dial(); CALLRACE_RESULT is DIAL, NOBODY, REFUSED or UNKNOWN.

    CALLRACE_LIMIT is how long they may talk, in seconds: for that long is reserved.
    CALLRACE_CALL is the id that the call's record will have, CALLRACE_LEGS names those in CALLRACE_DIAL:
    `record` wants both again.

    The destinations are those of the first wave that has any, `max_legs` of them at most. Nobody has been
    asked for a ZIP code here, so the caller's place is that of the number. Capacity is not looked at: an
    agent on another call says so by being busy. A campaign that wants a key pressed has nobody here: Dial()
    takes an answer for an acceptance, and a voicemail would win. Where caps or funds are to be looked at, room is
    reserved, as the switch does; the call's record gives it back. So that has to be sure to come: a call that the
    dialplan has not begun (`callrace-begin`) has nobody then.

    Whose the call is, under which terms, and whether it is taken, is decided as of when it began; `pin` is told, so
    that its record says the same.
    """
    call_id = request.begun_id or mint_call_id(now)
    nobody = {"CALLRACE_CALL": call_id, "CALLRACE_LEGS": "", "CALLRACE_DIAL": ""}
    began_at = request.began_at or now
    if request.did is None:
        return nobody | UNKNOWN
    intake = Intake(snapshot, Arrival(request.did, request.ani, began_at, request.attestation), random)
    step = intake.start()
    while not isinstance(step, Ended):
        outcome = UNCOUNTED[type(step)]
        match step:
            case Attributed(found):
                pin(call_id, pin_of(snapshot, found))
            case Take() if intake.campaign.route.accept != "answer":
                return nobody | {"CALLRACE_RESULT": "NOBODY"}
            case Reserve(decision):
                wish = wanted(call_id, snapshot.marketplace, intake.mine, decision.rung, began_at)
                if not wish.is_nothing and request.begun_id is None:
                    return nobody | {"CALLRACE_RESULT": "NOBODY"}
                reserved = await reserve(wish)
                if reserved.capped is not None:
                    return nobody | {"CALLRACE_RESULT": "NOBODY"}
                outcome = Reserved(left_out=reserved.left_out)
        step = intake.handle(outcome, now)
    match step:
        case Unknown():
            return nobody | UNKNOWN
        case Offered(decision):
            return nobody | _rung(snapshot, intake.mine, decision)
        case _:
            return nobody | {"CALLRACE_RESULT": "REFUSED"}


def _rung(snapshot: Snapshot, found: Attribution, decision: Decision) -> Variables:
    """The first wave that has anybody, as much of it as may ring at once."""
    plan, destinations = decision.plan, snapshot.marketplace.destinations
    first = next((wave.destinations for wave in plan.waves if wave.destinations), ())
    legs, dial = dialled({name: endpoint(destinations[name].dial) for name in first[: plan.max_legs]})
    result = "DIAL" if dial else "NOBODY"
    return {
        "CALLRACE_LEGS": legs,
        "CALLRACE_DIAL": dial,
        "CALLRACE_LIMIT": _limit(found),
        "CALLRACE_RESULT": result,
    }


def _limit(found: Attribution) -> str:
    """How long a conversation may last, in whole seconds for Dial(): no less than what is reserved for."""
    return str(-(-found.campaign.route.max_duration // 1000))


def record(tell: Callable[[Sequence[str]], None], request: Request) -> Variables:
    """Hands what became of a call on to `tell`; CALLRACE_RESULT is RECORDED, or REFUSED where it makes no sense."""
    try:
        tell(request.arguments)
    except (OSError, ValueError) as error:
        log.warning("a call's outcome is refused: %s", error)
        return {"CALLRACE_RESULT": "REFUSED"}
    return {"CALLRACE_RESULT": "RECORDED"}


SERVICES = ("lookup", "route", "record")
"""By the path of the AGI address."""


def dialled(targets: Mapping[str, str]) -> tuple[str, str]:
    """Names, and their targets for Dial(), each joined by &: as many as a command has room for.

    Raises ValueError for a target that could mean more to Dial() than one telephone.
    """
    legs, dial = "", ""
    for name, target in targets.items():
        if not _TARGET.fullmatch(target):
            raise ValueError(f"{target!r} is no dial target")
        more = (f"{legs}&{name}", f"{dial}&{target}") if dial else (name, target)
        if sum(map(len, more)) > VALUE_CHARACTERS:
            break
        legs, dial = more
    return legs, dial


def _attribute(snapshot: Snapshot, request: Request, now: int) -> Attribution | None:
    return attribute(snapshot, request.did, now) if request.did else None


def _is_refused(snapshot: Snapshot, found: Attribution, request: Request, now: int) -> bool:
    refusal = refusal_by_rules(snapshot.marketplace, found, request.ani, now, request.attestation)
    return refusal is not None
