"""The memory of callers: which earlier call is known to the next one."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.calls.record import Verdict
from ari_app.domain.market.terms import Clause, NoRepeat
from ari_app.domain.terms.repeats import Memory, whose
from tests.samples import make_call, unqualified

DAY_MS = 86_400_000
ANI = "+12125550142"
ALL = frozenset(
    (basis, scope)
    for basis in ("any", "connected", "qualified")
    for scope in ("campaign", "advertiser", "destination")
)


def call(n, **changes):
    return make_call(n, **{"ani": ANI, **changes})


def known_to(record, *earlier, kinds=ALL):
    """The kinds of earlier calls that the memory has for a call after these."""
    memory = Memory(kinds, DAY_MS)
    for one in earlier:
        memory.recall(one)
    return set().union(*(memory.last(basis, record) for basis in ("any", "connected", "qualified")))


def test_a_qualified_call_is_an_earlier_one_on_every_basis():
    assert known_to(call(2), call(1)) == ALL


def test_a_call_that_only_connected_is_no_qualified_one():
    earlier = unqualified(1)
    earlier.ani = ANI
    assert {basis for basis, _ in known_to(call(2), earlier)} == {"any", "connected"}


def test_a_call_that_nobody_took_is_any_call_to_the_campaign_and_the_advertiser():
    missed = call(1, connected_at=None, winner=None, qualification=None)
    assert known_to(call(2), missed) == {("any", "campaign"), ("any", "advertiser")}


@pytest.mark.parametrize(
    ("changes", "scopes"),
    [
        ({"campaign": "roofing"}, {"advertiser", "destination"}),
        ({"campaign": "roofing", "advertiser": "bolt"}, {"destination"}),
        ({"winner": "agent-7"}, {"campaign", "advertiser"}),
        ({"ani": "+12125550143"}, set()),
        ({"ani": None}, set()),
    ],
)
def test_a_repeat_is_one_to_the_same_campaign_advertiser_or_destination(changes, scopes):
    assert {scope for _, scope in known_to(call(2, **changes), call(1))} == scopes


def test_a_call_is_no_repeat_of_itself():
    assert known_to(call(1), call(1)) == set()


def test_only_what_some_clause_asks_about_is_kept():
    kinds = frozenset({("qualified", "advertiser")})
    assert known_to(call(2), call(1), kinds=kinds) == kinds


def test_a_caller_is_forgotten_when_no_window_reaches_back_to_the_call():
    memory = Memory(frozenset({("connected", "campaign")}), DAY_MS)
    first, other, last = call(1), call(2, ani="+12125550143"), call(3)
    memory.remember("connected", first, first.connected_at)
    memory.remember("connected", other, first.connected_at + DAY_MS + 1)
    assert memory.last("connected", last) == {}


def test_a_bare_window_means_a_connected_call_to_the_campaign():
    assert Clause(no_repeat_within=DAY_MS).no_repeat == NoRepeat(DAY_MS, "connected", "campaign")
    assert whose(call(1), "campaign") == "plumbing"


def test_a_call_that_came_to_be_payable_later_is_an_earlier_one_then():
    waited = call(1, qualification=Verdict(False, []))
    memory = Memory(ALL, DAY_MS)
    memory.recall(waited)
    assert not memory.last("qualified", call(2))
    memory.recall_payable(call(1))
    assert set(memory.last("qualified", call(2))) == {kind for kind in ALL if kind[0] == "qualified"}


def test_a_call_that_came_to_be_payable_later_does_not_hide_a_later_one():
    memory = Memory(ALL, DAY_MS)
    memory.recall(call(2))
    memory.recall_payable(call(1))
    assert {known.call_id for known in memory.last("qualified", call(3)).values()} == {call(2).id}


@given(st.permutations(range(1, 7)))
def test_calls_may_be_recalled_in_any_order(order):
    memory = Memory(ALL, DAY_MS)
    for n in order:
        memory.recall(call(n))
    assert {known.call_id for known in memory.last("connected", call(6)).values()} == {call(5).id}
    assert {known.call_id for known in memory.last("connected", call(9)).values()} == {call(6).id}


@pytest.mark.parametrize("ani", ["+1", "anonymous", "0123", "+0123", "+999999999999999999999", ""])
def test_a_caller_of_any_name_is_nobody_else(ani):
    memory = Memory(ALL, DAY_MS)
    memory.recall(call(1, ani=ani))
    assert set(memory.last("connected", call(2, ani=ani))) == {kind for kind in ALL if kind[0] == "connected"}
    assert memory.last("connected", call(2, ani="123")) == {}
    assert memory.last("connected", call(2, ani=ani, campaign="c", advertiser="a", winner="w")) == {}


def test_a_million_callers_fit_into_memory():
    """A hundredth of them, and a hundredth of 200 MB: the marketplace and the program take the rest of 350."""
    memory = Memory(frozenset({("connected", "campaign")}), 30 * DAY_MS)
    records = [
        make_call(n, ani=f"+1212{n:07d}", started_at=n, connected_at=n * 250_000) for n in range(10_000)
    ]
    tracemalloc.start()
    for record in records:
        memory.recall(record)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 2_000_000


@pytest.mark.parametrize("at", [-1, 1 << 48, 10**30])
def test_a_call_at_a_moment_that_cannot_be_is_no_earlier_one_and_keeps_no_other_from_being_one(at):
    """As one has it that the database refused: it is in the spool, from where callers are recalled."""
    impossible = call(1, started_at=at, connected_at=at)
    assert known_to(call(3), impossible) == set()
    assert known_to(call(3), call(2), impossible) == ALL


HOUR_MS = 3_600_000


def at_hour(n, hour, **changes):
    """A call that was connected at this hour."""
    return call(n, started_at=hour * HOUR_MS, connected_at=hour * HOUR_MS, **changes)


def note(memory, record):
    memory.remember("connected", record, record.connected_at)


def last_of(memory, record):
    return {known.call_id for known in memory.last("connected", record).values()}


def test_the_last_of_a_callers_calls_is_known_however_long_ago_the_others_were():
    memory = Memory(ALL, 30 * DAY_MS)
    for n, hour in ((1, 1), (2, 30), (3, 100)):
        note(memory, at_hour(n, hour))
    note(memory, at_hour(4, 200, ani="+12125550199"))
    assert last_of(memory, call(9)) == {call(3).id}
    assert last_of(memory, call(3)) == {call(2).id}
    assert last_of(memory, call(9, ani="+12125550199")) == {call(4).id}
    assert last_of(memory, call(9, ani="+12125550188")) == set()


def test_a_call_is_known_for_its_whole_window():
    memory = Memory(ALL, DAY_MS)
    note(memory, at_hour(1, 5))
    note(memory, at_hour(2, 29, ani="+12125550199"))  # a day later, to the millisecond
    assert last_of(memory, call(9)) == {call(1).id}


def test_what_no_window_reaches_is_given_up():
    memory = Memory(ALL, DAY_MS)
    for n in range(40):
        note(memory, at_hour(n, 6 * n, ani=f"+1212555{n:04d}"))
    assert len(memory._spans) <= 6


def test_who_called_before_a_moment_is_known_though_others_of_theirs_came_since():
    """As a call is judged late that another switch had begun."""
    memory = Memory(ALL, DAY_MS)
    for n in range(1, 9):
        memory.remember("connected", at_hour(n, 0, ani=ANI), n * 1000)
    before = {known.call_id for known in memory.before("connected", call(2), 2000).values()}
    assert before == {call(1).id}
    memory.remember(
        "connected", at_hour(9, 0, ani=ANI), 9000
    )  # of more within six hours the first are forgotten
    assert memory.before("connected", call(2), 2000) == {}


def test_a_call_that_is_noted_is_told_of_the_one_before_it():
    memory = Memory(ALL, DAY_MS)
    assert memory.remember("connected", call(1), 1000) == {}
    assert {known.at for known in memory.remember("connected", call(2), 2000).values()} == {1000}


def test_a_call_of_a_day_to_come_makes_nobody_forget_the_callers_of_now():
    """As one is saved while a machine's clock is wrong."""
    memory, now = Memory(ALL, DAY_MS), call(1).started_at
    memory.recall(call(1, ani="+12125550199", started_at=now + 400 * DAY_MS, connected_at=now + 400 * DAY_MS))
    memory.remember("connected", call(2), now)
    assert memory.last("connected", call(3))[("connected", "campaign")].call_id == call(2).id
    memory.remember("connected", call(4, ani="+12125550177"), now + DAY_MS // 2)
    assert memory.last("connected", call(3))[("connected", "campaign")].call_id == call(2).id
