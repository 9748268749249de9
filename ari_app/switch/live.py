"""The live view of calls under way and of agents, for operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any, get_args

from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.stage import ROWS, Phase, Stage
from ari_app.domain.routing.legs import Leg
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.serving.protocols import Capacity

PHASES: tuple[Phase, ...] = get_args(Phase)
AGENTS_SHOWN = 200


def live_view(record: CallRecord, stage: Stage, legs: Sequence[Leg] = ()) -> dict[str, Any]:
    """A call under way, with all that is known now, and its `stage`."""
    last = record.events[-1] if record.events else None
    return {
        "id": record.id,
        "did": record.did,
        "ani": record.ani,
        "campaign": record.campaign,
        "advertiser": record.advertiser,
        "publisher": record.publisher,
        "source": record.source,
        "state": record.place.state,
        "started_at": iso(record.started_at),
        "stage": last.what if last else None,
        "winner": record.winner,
        "phase": ROWS[stage].phase,
        "connected_at": iso(record.connected_at),
        "place": record.place.state,
        "legs": [_leg_view(leg) for leg in legs],
    }


def _leg_view(leg: Leg) -> dict[str, Any]:
    """A leg's phase, and since when. A leg that is being cancelled keeps the time of its phase before."""
    record = leg.record
    times = (record.offered_at, record.ringing_at, record.answered_at, record.accepted_at)
    since = max(at for at in (*times, leg.connected_at, record.ended_at) if at is not None)
    return {
        "destination": record.destination,
        "wave": record.wave,
        "phase": leg.phase.name.lower(),
        "outcome": record.outcome,
        "since": iso(since),
    }


def agents_view(snapshot: Snapshot, capacity: Capacity, phones: Mapping[str, str]) -> list[dict[str, Any]]:
    """Agents with their places, pauses and phones: first those in use, then the paused ones; at most AGENTS_SHOWN.

    `phones`: the known device states of registered phones.
    """
    destinations = snapshot.marketplace.destinations
    in_use, elsewhere = capacity.in_use(), capacity.elsewhere()
    wanted = chain(sorted({*in_use, *elsewhere}), sorted(snapshot.pauses))
    first = dict.fromkeys(name for name in wanted if name in destinations)
    others = (name for name in destinations if name not in first)
    return [
        {
            "agent": name,
            "capacity": destinations[name].capacity,
            "in_use": in_use.get(name, 0),
            "paused": snapshot.pauses.get(name),
            "on_another_call": name in elsewhere,
            "phone": phones.get(destinations[name].dial.extension or ""),
        }
        for name in islice(chain(first, others), AGENTS_SHOWN)
    ]
