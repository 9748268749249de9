"""In any order of calls, conversions, corrections and caps that begin or end, counters say what the records say."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from ari_app.domain.basics.periods import period
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.caps.counters import Rule, rules
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.corrections import CannotCorrect
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls
from ari_app.store.db.engine import reading
from ari_app.store.limits import caprules
from ari_app.store.limits.usage import usage_of
from ari_app.store.market import marketplaces
from ari_app.store.money import conversions, corrections
from tests.kit.database import migrated
from tests.kit.market import marketplace
from tests.samples import BEGAN, make_call, settlement, unqualified, waiting, with_late_bonus

NOON = BEGAN + 3_600_000
CAPS = [
    {"max": 100, "basis": "attempts", "per": "day"},
    {"max": 100, "basis": "connected", "per": "week"},
    {"max": 100, "basis": "qualified", "per": "total"},
    {"max_amount": "9999.00", "per": "month"},
]
OWNERS = ("campaigns.plumbing", "advertisers.acme", "publishers.homefix", "destinations.agent-1")
CALLS = st.integers(1, 4)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), CALLS),
        st.tuples(st.just("convert"), CALLS),
        st.tuples(st.just("correct"), CALLS, st.integers(0, 4200), st.integers(0, 3000)),
        st.tuples(st.just("apply"), st.sets(st.sampled_from(OWNERS)), st.sets(st.integers(0, 3))),
    ),
    max_size=14,
)


def call(n: int) -> CallRecord:
    """The calls of a history differ in what becomes of them."""
    return {1: make_call, 2: unqualified, 3: waiting, 4: with_late_bonus}[n](n)


def in_force(owners: set[str], which: set[int], version: int) -> Marketplace:
    document = marketplace({"agent-1": "sip:a@127.0.0.1", "agent-2": "sip:b@127.0.0.1"})
    document["publishers"]["homefix"]["name"] = f"HomeFix {version}"  # something to apply
    for owner in owners:
        part, _, name = owner.partition(".")
        document[part][name]["caps"] = [CAPS[n] for n in sorted(which)]
    return parse(json.dumps(document), "t.yaml")


def step(engine: Engine, n: int, what: Sequence[object]) -> None:
    match what:
        case ("save", int(which)):
            calls.save(engine, [settlement(call(which))])
        case ("convert", int(which)) if calls.get(engine, call(which).id) is not None:
            at = (call(which).ended_at or 0) + 1
            conversions.tell(engine, [Told(call(which).id, at, None)], at)
        case ("correct", int(which), int(credit), int(clawback)) if (
            calls.get(engine, call(which).id) is not None
        ):
            try:
                corrections.adjust(engine, call(which).id, f"k{n}", credit, clawback, NOON + n, "so it is")
            except CannotCorrect:
                return
        case ("apply", set(owners), set(caps)):
            marketplaces.apply(engine, in_force(owners, caps, n), NOON + n)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_counters_say_what_the_records_say(steps: list[tuple[object, ...]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="callrace-rules-"))
    engine = migrated(folder / "rules.db")
    try:
        market = in_force(set(OWNERS), {0, 1, 2, 3}, -1)
        marketplaces.apply(engine, market, NOON - 1)
        for n, what in enumerate(steps):
            step(engine, n, what)
        loaded = marketplaces.load(engine)
        assert loaded is not None
        check(engine, list(rules(loaded.marketplace)))
    finally:
        engine.dispose()
        shutil.rmtree(folder)


def check(engine: Engine, its: list[Rule]) -> None:
    with reading(engine) as connection:
        counted = caprules.used_so_far(connection, its, NOON)
    at = {rule.key: period(rule.per, NOON, rule.timezone).start for rule in its}
    kept = usage_of(engine, set(at.values()))
    for key, start in at.items():
        assert kept[key, start].used == counted[key, start], key
