"""What must hold when all is over: what callers and agents saw, the records and the ledger tell one story."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from ari_app.domain.calls.dialplan_call import CUT_OFF
from ari_app.domain.calls.record import CallRecord
from ari_app.store.calls import calls
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import counters, number_assignments, reservations
from ari_app.store.ledger import ledger
from ari_app.store.market.termversions import terms_of
from tests.chaos.faults import Injected
from tests.chaos.load import PATIENCE_S, Seen, Talk
from tests.chaos.market import (
    CHARGED_FROM_S,
    CROWD_DID,
    METERED_ADVERTISER,
    METERED_CENTS_A_SECOND,
    METERED_DID,
    METERED_MAX_S,
    REPEAT_DID,
    SPOOLED_DID,
)
from tests.live.lab import REPO
from tests.live.process import CALLRACE

SLACK_S = 2.0  # what SIPp and the switch may differ in: a frozen process hears of an end when it goes on
UNNOTICED_S = 6.0  # for so long, two heartbeats, a connection may be broken before the switch knows
JUST_BEFORE_S = 1.0
LATE_MS = (
    10_000  # a switch takes over within two seconds what the desk did; a machine under load takes longer
)
GONE_S = 1.0  # a caller's last words may have been sent so long before Asterisk was killed


@dataclass(frozen=True, slots=True)
class Verdict:
    """The figures, and everything that is wrong, in words."""

    called: int
    connected: int
    unreached: int
    lost: Sequence[str]
    doubled: Sequence[str]
    cut_off: int
    wrong_charges: Sequence[str]
    wrong_ends: Sequence[str]
    wrong_terms: Sequence[str]
    wrong_repeats: Sequence[str]
    crowd_cut: Sequence[str]
    ledger: Sequence[str]
    left: Sequence[str]
    charged: int

    def findings(self) -> list[str]:
        """What must not be; empty as it should be."""
        return [
            *self.lost,
            *self.doubled,
            *self.wrong_charges,
            *self.wrong_ends,
            *self.wrong_terms,
            *self.wrong_repeats,
            *self.crowd_cut,
            *self.ledger,
            *self.left,
        ]


def judge(
    engine: Engine,
    environment: Mapping[str, str],
    seen: Collection[Seen],
    injected: Sequence[Injected],
    left: Sequence[str],
) -> Verdict:
    """Looks at everything, once all is quiet. `left` is what was still there."""
    records: defaultdict[str, list[CallRecord]] = defaultdict(list)
    every = [record for record in calls.every(engine) if record.did != SPOOLED_DID]
    for record in every:
        records[record.ani or ""].append(record)
    deaths = [one.at for one in injected if one.fault.kills_asterisk]
    called = len(seen)
    repeats = [one for one in seen if one.did == REPEAT_DID]
    wrong_repeats = list(_wrong_repeats(repeats, records, deaths))
    seen = [one for one in seen if one.did != REPEAT_DID]
    of_call = {one.ani: records.pop(one.ani, []) for one in seen}
    paired = [(one, of_call[one.ani][0]) for one in seen if of_call[one.ani]]
    return Verdict(
        called=called,
        connected=sum(bool(one.talks) for one in seen),
        unreached=sum(one.answered_at is None and one.status is None for one in seen),
        lost=[
            f"{one.ani} has no record; {_story(one)}"
            for one in seen
            if not of_call[one.ani] and _was_handed_over(one, deaths)
        ],
        doubled=[
            f"{one.ani} has {len(of_call[one.ani])} records" for one in seen if len(of_call[one.ani]) > 1
        ]
        + [f"there is a record of {ani!r}, who did not call" for ani in records],
        cut_off=sum(bool(one.talks) and is_cut_off(record) for one, record in paired),
        wrong_charges=[
            f"{one.ani}, call {record.id}: {what}; {_story(one)}"
            for one, record in paired
            for what in _wrong_charge(one, record, injected)
        ],
        wrong_ends=[
            f"{one.ani}, call {record.id}: Asterisk was killed, and the record does not say so; {_story(one)}"
            for one, record in paired
            if _ended_with(one, deaths) and not _says_so(record)
        ],
        wrong_terms=list(_wrong_terms(engine, every)),
        wrong_repeats=wrong_repeats,
        crowd_cut=[
            f"{one.ani} of the crowd was cut off; {_story(one)}"
            for one in seen
            if one.did == CROWD_DID and one.cut_short_at(deaths) is not None
        ],
        ledger=[*_ledger(environment), *_overdrawn(engine), *_reserved(engine, injected)],
        left=[f"left: {what}" for what in left],
        charged=sum(record.money.charged for _, record in paired if record.money),
    )


def _was_handed_over(seen: Seen, deaths: Sequence[float]) -> bool:
    """Whether Asterisk surely took the call. One that nobody answered may have died on its way."""
    if seen.answered_at is not None or seen.status is not None:
        return True
    until = seen.left_at or seen.called_at + PATIENCE_S
    return not any(seen.called_at - GONE_S < death < until + GONE_S for death in deaths)


def _ended_with(seen: Seen, deaths: Sequence[float]) -> bool:
    """Whether an agent was on the call when Asterisk was killed."""
    return any(
        talk.until is None and talk.since + GONE_S < death < (seen.left_at or death + 1)
        for talk in seen.talks
        for death in deaths
    )


def _says_so(record: CallRecord) -> bool:
    """Whether a record says that Asterisk ended with its call."""
    return is_cut_off(record) or any(event.what == "Asterisk restarted" for event in record.events)


def is_cut_off(record: CallRecord) -> bool:
    """Whether Asterisk ended with a call that the dialplan served: nobody knows how long it was, or charges it."""
    return any(event.detail == CUT_OFF for event in record.events)


# Money


def _wrong_repeats(
    seen: Sequence[Seen], records: dict[str, list[CallRecord]], deaths: Sequence[float]
) -> Iterator[str]:
    """Each caller who calls again is charged at most once, and has a record of each call. Takes their records out."""
    for ani in dict.fromkeys(one.ani for one in seen):
        those, found = [one for one in seen if one.ani == ani], records.pop(ani, [])
        sure = sum(_was_handed_over(one, deaths) for one in those)
        if not sure <= len(found) <= len(those):
            yield f"{ani} called {len(those)} times, and has {len(found)} records"
        paid = [record.id for record in found if record.money and record.money.charged]
        if len(paid) > 1:
            yield f"{ani}, a repeat caller, is charged for {' and '.join(paid)}"


def _wrong_terms(engine: Engine, records: Iterable[CallRecord]) -> Iterator[str]:
    """A call's campaign is that which had the number when it began, and its price that of the terms it is pinned to."""
    with reading(engine) as connection:
        owned = connection.execute(select(number_assignments)).all()
    prices: dict[tuple[str, int], object] = {}
    for record in records:
        if record.campaign is None or record.terms_version is None:
            continue
        since = record.started_at - LATE_MS
        owners = {
            one.campaign
            for one in owned
            if one.did == record.did
            and one.from_at <= record.started_at + LATE_MS
            and (one.to_at is None or one.to_at >= since)
        }
        if record.campaign not in owners:
            yield f"call {record.id} is {record.campaign}'s, and {record.did} was that of {sorted(owners)}"
        key = record.campaign, record.terms_version
        if key not in prices:
            prices[key] = (terms_of(engine, *key) or {}).get("price")
        price = prices[key]
        if isinstance(price, int) and record.money and record.money.charged not in (0, price):
            yield f"call {record.id} is charged {record.money.charged}, its terms say {price}"


def _overdrawn(engine: Engine) -> Iterator[str]:
    """Nobody who pays beforehand owes anything."""
    for (account, currency), balance in ledger.balances(engine).items():
        if account == f"advertiser:{METERED_ADVERTISER}" and balance.posted < 0:
            yield f"{account} has {balance.posted} {currency}, and pays beforehand"


def _wrong_charge(seen: Seen, record: CallRecord, injected: Sequence[Injected]) -> Iterator[str]:
    charged, paid = (record.money.charged, record.money.paid) if record.money else (0, 0)
    if seen.did == METERED_DID:
        if charged > METERED_MAX_S * METERED_CENTS_A_SECOND or 2 * paid != charged:
            yield f"charged {charged} and paid {paid} for at most {METERED_MAX_S} s"
    elif record.money and (charged, paid) not in ((0, 0), (record.money.price, record.money.payout)):
        yield f"charged {charged} and paid {paid}"
    spans = [_span(seen, talk, injected) for talk in seen.talks]
    if seen.left_at is not None:  # an agent who answered talks from then on, also where the ACK was lost
        spans += [(0.0, seen.left_at - taken_at) for taken_at in seen.taken_at]
    least, most = max((low for low, _ in spans), default=0.0), max((high for _, high in spans), default=0.0)
    if charged and most < CHARGED_FROM_S - SLACK_S:
        yield f"charged for a conversation of at most {most:.1f} s"
    if not charged and least > CHARGED_FROM_S + SLACK_S and not is_cut_off(record):
        yield f"not charged for a conversation of at least {least:.1f} s ({record.disposition})"


def _span(seen: Seen, talk: Talk, injected: Sequence[Injected]) -> tuple[float, float]:
    """How long the switch may take a conversation to have been, in seconds: at least, at most.

    An end that nobody saw is when the switch last saw anything; a beginning that nobody saw may be none.
    """
    low = end = seen.end_of(talk, [one.at for one in injected if one.fault.kills_asterisk])
    for one in injected:
        if one.fault.is_blind:
            since, until = one.at - SLACK_S, one.well_at + UNNOTICED_S
            if since < talk.since < until:
                low = talk.since
            elif since < end < until:
                low = min(low, max(since, talk.since))
    return low - talk.since, end - talk.since


# The database


def _ledger(environment: Mapping[str, str]) -> list[str]:
    """What `callrace ledger verify` finds."""
    ended = subprocess.run(
        (*CALLRACE, "ledger", "verify"), cwd=REPO, env=environment, capture_output=True, text=True
    )
    return [f"ledger verify: {(ended.stdout + ended.stderr).strip()}"] if ended.returncode else []


def _reserved(engine: Engine, injected: Sequence[Injected]) -> Iterator[str]:
    """Nothing is reserved for calls that are over, and a cap has counted every qualified call once.

    But a switch that is killed in the moment of a reservation leaves one that waits for its expiry; and a database
    that crashes may undo those of its last moments, as it does not wait for its disk to make them.
    """
    with reading(engine) as connection:
        left = connection.execute(select(reservations.c.at)).scalars().all()
        used = connection.execute(select(func.coalesce(func.sum(counters.c.used), 0))).scalar_one()
    qualified = [
        record.started_at
        for record in calls.every(engine)
        if record.campaign == "capped" and record.qualification is not None and record.qualification.qualified
    ]
    kills = [one.at for one in injected if one.fault.kills]
    orphans = [at for at in left if not _is_just_before(at, kills)]
    if orphans:
        yield f"{len(orphans)} reservations are left"
    crashes = [one.at for one in injected if one.fault.crashes_database]
    undone = sum(_is_just_before(at, crashes) for at in qualified)
    if not len(qualified) - undone <= used <= len(qualified):
        yield f"the cap counts {used} calls, of {len(qualified)} that qualified"


def _is_just_before(at_ms: int, moments: Sequence[float]) -> bool:
    return any(moment - JUST_BEFORE_S < at_ms / 1000 < moment + JUST_BEFORE_S for moment in moments)


def _story(seen: Seen) -> str:
    """What SIPp saw, in seconds from the INVITE."""
    parts = [f"called at {seen.called_at:.2f}"]
    if seen.answered_at is not None:
        parts.append(f"answered +{seen.answered_at - seen.called_at:.2f}")
    if seen.status is not None:
        parts.append(f"refused with {seen.status}")
    for talk in seen.talks:
        until = "never ended" if talk.until is None else f"+{talk.until - seen.called_at:.2f}"
        parts.append(f"{talk.agent} +{talk.since - seen.called_at:.2f} to {until}")
    if seen.left_at is not None:
        parts.append(f"left +{seen.left_at - seen.called_at:.2f}")
    return ", ".join(parts)
