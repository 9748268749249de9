"""What the switch remembers of callers."""

from ari_app.domain.qualification import EarlierCall
from ari_app.switch import callers as module
from ari_app.switch.callers import Callers

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
    callers.connected("plumbing", None, "call-1", 1000)
    assert callers.connected("plumbing", None, "call-2", 1001) is None


def test_the_connected_call_before_is_known_to_the_next_one():
    callers = Callers()
    callers.look_back(DAY_MS, [])
    assert callers.connected("plumbing", "+12125550142", "call-1", 1000) is None
    assert callers.connected("plumbing", "+12125550142", "call-2", 2000) == EarlierCall("call-1", 1000)


def test_a_call_connected_twice_is_no_repeat_of_itself():
    callers = Callers()
    callers.connected("plumbing", "+12125550142", "call-1", 1000)
    assert callers.connected("plumbing", "+12125550142", "call-1", 1500) is None


def test_the_memory_of_redials_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "REDIALS_KEPT", 2)
    callers = Callers()
    for n in range(3):
        callers.dialled("+18005550101", f"+1212555014{n}", n)
    assert callers.dialled("+18005550101", "+12125550140", 9) is None


def test_a_caller_is_forgotten_when_no_window_reaches_back_to_the_call():
    callers = Callers()
    callers.look_back(DAY_MS, [])
    callers.connected("plumbing", "+12125550142", "call-1", 0)
    callers.connected("plumbing", "+12125550143", "call-2", DAY_MS + 1)
    assert callers.connected("plumbing", "+12125550142", "call-3", DAY_MS + 2) is None


def test_looking_back_further_keeps_what_was_seen_since():
    callers = Callers()
    callers.look_back(DAY_MS, [])
    callers.connected("plumbing", "+12125550142", "call-9", 50 * DAY_MS)
    known = [("plumbing", "+12125550142", EarlierCall("call-1", 30 * DAY_MS)),
             ("plumbing", "+12125550143", EarlierCall("call-2", 31 * DAY_MS))]  # fmt: skip
    callers.look_back(30 * DAY_MS, known)
    assert callers.connected("plumbing", "+12125550142", "call-10", 51 * DAY_MS) == EarlierCall(
        "call-9", 50 * DAY_MS
    )
    assert callers.connected("plumbing", "+12125550143", "call-11", 51 * DAY_MS) == known[1][2]
