"""The summary: who called, what happened, what money moved."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.explain.aftermath import comes_to
from ari_app.views.explain.answers import questions
from ari_app.views.explain.facts import Sees, detail_of, joined
from ari_app.views.sections import Section
from ari_app.views.words import amount, duration, moment


def section(record: CallRecord, transfers: Sequence[Transfer], sees: Sees) -> Section:
    """Who called, and a summary of the call in one or two sentences."""
    return Section(f"Call {record.id}", [_opening(record, sees), _in_short(record, transfers, sees)])


def _opening(record: CallRecord, sees: Sees) -> str:
    caller = record.ani or ("A caller who hides the number" if sees("caller_numbers") else "A caller")
    called = record.did or "what is no telephone number"
    return f"{caller} called {called} on {moment(record.started_at)}."


def _in_short(record: CallRecord, transfers: Sequence[Transfer], sees: Sees) -> str:
    said = f"In short: {_what_happened(record)} {_money_in_short(record, sees)}".rstrip()
    return f"{said} {comes_to(record, transfers, sees)}".rstrip()


def _what_happened(record: CallRecord) -> str:
    match record.disposition:
        case "connected":
            talked = duration(record.durations_ms.connected)
            return f"{record.winner} took the call and was connected to the caller for {talked}."
        case "no_answer":
            return f"{_phones(record)} dialled, and nobody took the call."
        case "no_route":
            return "no destination could take this call, so no phone was rung."
        case "abandoned_ivr":
            after = duration(record.durations_ms.total)
            return f"the caller hung up after {after}, before any phone was rung."
        case "abandoned_queue":
            waited = duration(record.durations_ms.wait)
            return f"the caller waited {waited} for an agent and hung up before anybody took the call."
        case "flow_ended":
            return f"the call ended with the questions: {_flow_end(record)}. No phone was rung."
        case "blocked":
            return f"this caller is not taken: {detail_of(record, EventName.REFUSED)}. No phone was rung."
        case "closed":
            return (
                f"the campaign takes no calls now: {detail_of(record, EventName.REFUSED)}. No phone was rung."
            )
        case "capped":
            return (
                f"a limit on its calls is reached: {detail_of(record, EventName.REFUSED)}. No phone was rung."
            )
        case "unknown_number":
            return "the number called belongs to no campaign, so the call was turned away unanswered."
        case "failed":
            return f"the call could not be served: {_failure(record)}."
        case None:
            return "the call is not over."


def _money_in_short(record: CallRecord, sees: Sees) -> str:
    verdict = record.qualification
    if not (sees("price") or sees("payout")):
        return ""
    if record.waits_until is not None:
        return f"{_moved_so_far(record, sees)} It waits for a conversion until {moment(record.waits_until)}."
    moved = _moved(record, sees)
    if not moved:
        if record.disposition == "connected" and verdict is not None and not verdict.qualified:
            reasons = "; ".join(clause.detail for clause in verdict.clauses if not clause.passed)
            return f"It was not a payable call ({reasons}), so no money moved."
        return "No money moved."
    return f"It met all the terms: {joined(moved)}."


def _moved(record: CallRecord, sees: Sees) -> list[str]:
    """The money that moved, as far as the reader sees it; empty when nothing of that moved."""
    money = record.money
    if money is None:
        return []
    parts = {
        f"{record.advertiser} was charged {amount(money.charged, money.currency)}": ("price", money.charged),
        f"{record.publisher} was paid {amount(money.paid, money.currency)}": ("payout", money.paid),
    }
    seen = {said: moved for said, (topic, moved) in parts.items() if sees(topic)}
    return list(seen) if any(seen.values()) else []


def _moved_so_far(record: CallRecord, sees: Sees) -> str:
    """The money of a call that awaits a conversion."""
    money, verdict = record.money, record.qualification
    if money is None or verdict is None:
        return "No money moved."
    said = []
    if verdict.waits("price") and sees("price"):
        said.append(f"{amount(money.price, money.currency)} of {record.advertiser}'s money are held")
    if money.charged and sees("price"):
        said.append(f"{record.advertiser} was charged {amount(money.charged, money.currency)}")
    if money.paid and sees("payout"):
        said.append(f"{record.publisher} was paid {amount(money.paid, money.currency)}")
    return f"So far, {' and '.join(said)}." if said else "No money moved so far."


def _phones(record: CallRecord) -> str:
    count = len({leg.destination for leg in record.legs})
    return "no phone was" if count == 0 else "one phone was" if count == 1 else f"{count} phones were"


def _flow_end(record: CallRecord) -> str:
    """Why the flow ended without an offer: the last question failed, or the answers led to a hangup."""
    if detail_of(record, EventName.FLOW_ENDED).endswith("longest time reached"):
        return "they had taken as long as the flow may"
    asked = list(questions(record))
    if asked and asked[-1].what != EventName.ENTERED:
        return asked[-1].text
    return "these answers lead to a hang-up, not to an agent"


def _failure(record: CallRecord) -> str:
    if any(event.what == EventName.SWITCH_STOPPED for event in record.events):
        return "the switch was being stopped"
    refused = any(event.what == EventName.REFUSED for event in record.events)
    return detail_of(record, EventName.REFUSED if refused else EventName.FAILED)
