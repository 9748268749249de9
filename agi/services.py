"""The services: answers to the dialplan, as channel variables. The only I/O is in `reserve`, `pin` and `tell`.

Every answer has CALLRACE_RESULT. If the server vanishes before it has answered, the dialplan sees the same as after an
answer (AGISTATUS is SUCCESS). So only this variable shows that there was an answer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random

from agi.conversation import VALUE_CHARACTERS, Request
from ari_app.domain.calls.carrier import Signalled, signalled, trunk_of
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
    refusal_by_rules,
)
from ari_app.domain.routing.routing import Decision
from ari_app.domain.routing.snapshot import Attribution, Pin, Snapshot, attribute, pin_of
from ari_app.serving.dialstrings import endpoint
from ari_app.serving.ids import mint_call_id

log = logging.getLogger(__name__)

Variables = dict[str, str]
ReserveRoom = Callable[[Wanted], Awaitable[Answer]]

PinCall = Callable[[str, Pin], None]
"""Remembers what a call is pinned to, by its id. Raises nothing."""

UNKNOWN: Variables = {"CALLRACE_RESULT": "UNKNOWN"}
"""The number called is no tracking number."""

_TARGET = re.compile(r"PJSIP/[A-Za-z0-9._+-]+(?:/sip:[A-Za-z0-9._+@:;=-]+|@[a-z0-9-]+)?", re.ASCII)
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ._:/-]")


def lookup(snapshot: Snapshot, request: Request, now: int) -> Variables:
    """The call's attribution, and where its caller is; CALLRACE_RESULT is FOUND or UNKNOWN.

    CALLRACE_SOURCE has a _ for every character that is not plain (letters, digits, space, . _ : / -).
    CALLRACE_BLOCKED is 1 when the campaign takes no call of this caller now, because the caller is blocked, anonymous
    or unattested, or because the campaign is closed. Redials and rate limits are not checked, as they are not counted
    here. CALLRACE_LIMIT is the longest duration of a conversation, in seconds: no more is paid for. Unknown values are
    empty.
    """
    told = signalled_to(snapshot, request)
    found = attribute(snapshot, told.did, now)
    if found is None:
        return dict(UNKNOWN)
    place = locate(snapshot.geography, None, told.ani, told.did)
    return {
        "CALLRACE_CAMPAIGN": found.campaign_id,
        "CALLRACE_PUBLISHER": found.number.publisher,
        "CALLRACE_SOURCE": _NOT_PLAIN.sub("_", found.number.source or ""),
        "CALLRACE_STATE": place.state or "",
        "CALLRACE_ZIP": place.zip or "",
        "CALLRACE_TIMEZONE": place.timezone or "",
        "CALLRACE_LIMIT": _limit(found),
        "CALLRACE_BLOCKED": "1" if _is_refused(snapshot, found, told, now) else "0",
        "CALLRACE_RESULT": "FOUND",
    }


async def route(
    snapshot: Snapshot, request: Request, now: int, random: Random, reserve: ReserveRoom, pin: PinCall
) -> Variables:
    """Whom to ring, as CALLRACE_DIAL for Dial(); CALLRACE_RESULT is DIAL, NOBODY, REFUSED or UNKNOWN.

    CALLRACE_LIMIT is the longest duration of the conversation, in seconds: the reservation is for that duration.
    CALLRACE_ANI is the caller's number, if the request has an INVITE; it is empty when the number is withheld.
    CALLRACE_CALL is the id that the call's record will have. CALLRACE_LEGS are the names of the destinations in
    CALLRACE_DIAL. The service `record` needs both again.

    The destinations are those of the first wave that has any, at most `max_legs`. The caller was not asked for a ZIP
    code, so the caller's place is that of the number. Capacity is not checked: an agent on another call answers busy.
    A campaign whose agents must press a key gets NOBODY: Dial() takes an answer as an acceptance, so a voicemail would
    win. Caps and funds are reserved as in the switch; the call's record gives the reservation back. As such a record
    must be certain to come, a call without `callrace-begin` in the dialplan then gets NOBODY.

    Attribution, terms and screening are decided as of the call's beginning. `pin` is called, so that the record agrees.
    """
    call_id = request.begun_id or mint_call_id(now)
    nobody = {"CALLRACE_CALL": call_id, "CALLRACE_LEGS": "", "CALLRACE_DIAL": ""}
    began_at = request.began_at or now
    told = signalled_to(snapshot, request)
    if request.invite is not None:
        nobody["CALLRACE_ANI"] = told.ani or ""
    intake = Intake(snapshot, Arrival(told.did, told.ani, began_at, told.attestation), random)
    step = intake.start()
    while not isinstance(step, Ended):
        outcome = UNCOUNTED[type(step)]
        match step:
            case Attributed(found):
                pin(call_id, pin_of(snapshot, found))
            case Take() if intake.campaign.route.accept != "answer":
                return nobody | {"CALLRACE_RESULT": "NOBODY"}
            case Reserve(decision):
                wish = wanted(call_id, snapshot.marketplace, intake.attribution, decision.rung, began_at)
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
            return nobody | _rung(snapshot, intake.attribution, decision)
        case _:
            return nobody | {"CALLRACE_RESULT": "REFUSED"}


def _rung(snapshot: Snapshot, found: Attribution, decision: Decision) -> Variables:
    """The first wave that has destinations, and of it as many as may ring at once."""
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
    """The longest conversation in whole seconds, for Dial(), rounded up: not less than what is reserved."""
    return str(-(-found.campaign.route.max_duration // 1000))


def record(tell: Callable[[Sequence[str]], None], request: Request) -> Variables:
    """Passes the outcome of a call to `tell`; CALLRACE_RESULT is RECORDED, or REFUSED for an impossible outcome."""
    try:
        tell(request.arguments)
    except (OSError, ValueError) as error:
        log.warning("a call's outcome is refused: %s", error)
        return {"CALLRACE_RESULT": "REFUSED"}
    return {"CALLRACE_RESULT": "RECORDED"}


SERVICES = ("lookup", "route", "record")
"""The services, by the path in the AGI URL."""


def dialled(targets: Mapping[str, str]) -> tuple[str, str]:
    """The names, and their targets for Dial(), each joined by &: as many as one command has room for.

    Raises ValueError for a target that Dial() could read as more than one telephone.
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


def signalled_to(snapshot: Snapshot, request: Request) -> Signalled:
    """The numbers of caller and called party: from the dialplan, or from its INVITE by the trunk's rules."""
    invite = request.invite
    if invite is None:
        return Signalled(request.did or "", request.ani, request.attestation)
    return signalled(invite, snapshot.marketplace.trunk(trunk_of(invite.channel)))


def _is_refused(snapshot: Snapshot, found: Attribution, told: Signalled, now: int) -> bool:
    arrival = Arrival(told.did, told.ani, now, told.attestation)
    return refusal_by_rules(snapshot, arrival, found) is not None
