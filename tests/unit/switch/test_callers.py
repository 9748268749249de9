"""What the switch remembers of callers."""

from ari_app.switch import callers as module
from ari_app.switch.callers import Callers
from tests.samples import make_call

DAY_MS = 86_400_000


def test_a_redial_is_remembered_for_each_number_on_its_own():
    callers = Callers()
    assert callers.dialled("+18005550101", "+12125550142", 1000) is None
    assert callers.dialled("+18005550102", "+12125550142", 1500) is None
    assert callers.dialled("+18005550101", "+12125550142", 2000) == 1000


def test_anonymous_callers_are_never_the_same_caller():
    callers = Callers()
    callers.dialled("+18005550101", None, 1000)
    assert callers.dialled("+18005550101", None, 1001) is None


def test_the_memory_of_redials_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "REDIALS_KEPT", 2)
    callers = Callers()
    for n in range(3):
        callers.dialled("+18005550101", f"+1212555014{n}", n)
    assert callers.dialled("+18005550101", "+12125550140", 9) is None


def test_looking_back_keeps_what_was_seen_since():
    callers = Callers()
    kinds = frozenset({("connected", "campaign")})
    callers.look_back(kinds, DAY_MS, [])
    seen = make_call(9, ani="+12125550142")
    callers.note("connected", seen, seen.connected_at)
    known = [make_call(1, ani="+12125550142"), make_call(2, ani="+12125550143")]
    callers.look_back(kinds, 30 * DAY_MS, known)
    for ani, earlier in (("+12125550142", seen), ("+12125550143", known[1])):
        (last,) = callers.last("connected", make_call(10, ani=ani)).values()
        assert last.call_id == earlier.id


def test_what_new_terms_ask_about_is_not_known_until_it_was_looked_up():
    callers = Callers()
    callers.look_back(frozenset({("connected", "campaign")}), DAY_MS, [])
    assert callers.knows(frozenset({("connected", "campaign")}), DAY_MS)
    assert not callers.knows(frozenset({("connected", "campaign")}), 2 * DAY_MS)
    assert not callers.knows(frozenset({("any", "advertiser")}), DAY_MS)
