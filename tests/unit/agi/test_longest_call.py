"""A call that the dialplan serves costs no more than was reserved for it, and counts though its reservation expired."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from random import Random

from sqlalchemy import Engine

from agi.conversation import Request
from agi.outcomes import Outcomes
from agi.services import route
from ari_app.domain.calls.geo import Geography
from ari_app.domain.caps.counters import EXPIRES_AFTER_MS, Answer, Wanted
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.transfers import deposit
from ari_app.store.calls import calls
from ari_app.store.ledger import ledger
from ari_app.store.limits import reservations
from ari_app.store.limits.usage import Usage, usage_of
from ari_app.store.market import marketplaces
from tests.kit.database import migrated
from tests.kit.market import DID, marketplace
from tests.unit.agi.lines import BEGAN

ANI, NAME = "+12125550142", "1763992800.7"
GEOGRAPHY = Geography({}, {})
HOUR_MS = 3_600_000


def in_force(folder: Path) -> Engine:
    """A database where a call may last 10 minutes at 1.00 a minute, with a cap and a deposit for one such call."""
    engine = migrated(folder / "callrace.db")
    price = {"per_minute": "1.00"}
    campaign = {"price": price, "payout": "0", "caps": [{"max_amount": "10.00", "per": "day"}]}
    agents = {"agent": "sip:agent@127.0.0.1:5999"}
    document = marketplace(agents, accept="answer", max_duration="10m", campaign=campaign)
    document["advertisers"]["acme"]["billing"] = {"model": "prepaid"}
    marketplaces.apply(engine, parse(json.dumps(document), "t.yaml"), BEGAN - 1)
    ledger.post(engine, deposit("wire-1", "acme", 1000, "USD", BEGAN - 1))
    return engine


def asked(engine: Engine, outcomes: Outcomes) -> dict[str, str]:
    """What the dialplan is told to do with a call."""

    async def reserve(wish: Wanted) -> Answer:
        return reservations.reserve(engine, wish)

    loaded = marketplaces.load(engine)
    assert loaded is not None
    request = Request("route", (DID, ANI, "", str(BEGAN)), NAME)
    snapshot = loaded.snapshot(GEOGRAPHY)
    return asyncio.run(route(snapshot, request, BEGAN, Random(1), reserve, outcomes.pin))


def test_a_call_of_hours_is_charged_as_far_as_was_reserved_and_fills_its_cap(tmp_path: Path) -> None:
    engine = in_force(tmp_path)

    async def no_channels() -> list[str]:
        return []

    outcomes = Outcomes(engine, GEOGRAPHY, (tmp_path / "asterisk.csv", tmp_path / "own.csv"), no_channels)
    said = asked(engine, outcomes)
    assert (said["CALLRACE_RESULT"], said["CALLRACE_LIMIT"]) == ("DIAL", "600")
    assert reservations.expire(engine, BEGAN + 600_000 + EXPIRES_AFTER_MS) == 2
    ended = [str(BEGAN), NAME, DID, ANI, said["CALLRACE_CALL"], "agent", "ANSWER"]
    outcomes.tell([*ended, "agents/sip:agent@127.0.0.1:5999", str(3 * HOUR_MS), str(BEGAN + 3 * HOUR_MS), ""])
    for _ in range(2):
        outcomes._save_aside(tmp_path / "own.csv")
    [record] = calls.latest(engine)
    assert record.money is not None and record.money.charged == 1000
    assert ledger.balances(engine)["advertiser:acme", "USD"].posted == 0
    midnight = 1_763_960_400_000  # in New York
    key = "campaign:plumbing:amount:day:USD"
    assert usage_of(engine, [midnight])[key, midnight] == Usage(1000, 0)
    engine.dispose()
