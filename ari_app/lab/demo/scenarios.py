"""The demo's calls, as data: who calls, how the phones behave, and the expected result.

The destinations, their addresses and the terms are those of config/demo.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ari_app.domain.calls.record import Disposition, LegOutcome
from ari_app.domain.ledger.transfers import TransferKind
from ari_app.lab.sipp import (
    Behaviour,
    Step,
    accepts,
    answers_silently,
    busy,
    declines,
    press,
    rings_forever,
    talk,
    wait_ms,
)

NUMBER = "+18005550101"
NIGHT_NUMBER = "+18005550102"
THINKS_MS = 700  # how long a caller listens to a menu before pressing a key


@dataclass(frozen=True, slots=True)
class Leaves:
    """The caller hangs up `after_ms` after an event of a phone (see `lab.sipp.call.CallEvent`)."""

    after_ms: int
    phone: str
    event: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the call's record should say.

    `legs`: the outcome of each phone rung. `fails`: the clauses that fail. `charged`, `paid`: decimal strings. `late`:
    phones that accepted after the winner. `cause_26`: phones to which SIP said that the call was answered elsewhere.
    `transfers`: the kinds of the call's transfers in the ledger, in order.
    """

    disposition: Disposition
    winner: str | None = None
    qualified: bool = False
    fails: tuple[str, ...] = ()
    charged: str = "0.00"
    paid: str = "0.00"
    legs: Mapping[str, LegOutcome] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    cause_26: tuple[str, ...] = ()
    transfers: tuple[TransferKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call. `story` describes it beforehand. `after` is the call that must be over first, as both ring the same
    phones.
    """

    name: str
    story: str
    ani: str
    phones: Mapping[str, Behaviour]
    expected: Expected
    did: str = NUMBER
    caller: tuple[Step, ...] = (talk(),)
    leaves: Leaves | None = None
    after: str | None = None


def _repair_in(zip_code: str) -> tuple[Step, ...]:
    """A caller who presses 1 for a repair, enters a ZIP code, and talks."""
    return (wait_ms(THINKS_MS), press("1"), wait_ms(THINKS_MS), press(zip_code), talk())


SCENARIOS = (
    Scenario(
        name="qualified-and-paid",
        story=(
            "A caller in New York wants a repair. Four phones ring at once: agent-1 is a voicemail that "
            "picks up immediately, agent-2 accepts first, agent-3 accepts a moment later, nobody picks up "
            "agent-4. The caller and agent-2 talk longer than the 3 s that make a call payable."
        ),
        ani="+12125550142",
        caller=_repair_in("10001"),
        phones={
            "agent-1": answers_silently(),
            "agent-2": accepts(after_ms=800, ring_ms=700),
            "agent-3": accepts(after_ms=1400, ring_ms=500),
            "agent-4": rings_forever(),
        },
        leaves=Leaves(4_500, "agent-2", "pressed"),
        expected=Expected(
            disposition="connected",
            winner="agent-2",
            qualified=True,
            charged="42.00",
            paid="30.00",
            legs={"agent-1": "lost", "agent-2": "won", "agent-3": "lost", "agent-4": "lost"},
            late=("agent-3",),
            cause_26=("agent-1", "agent-3", "agent-4"),
            transfers=("hold", "post", "post"),
        ),
    ),
    Scenario(
        name="too-short",
        story=(
            "A caller in New Jersey is connected to agent-1, and hangs up before the 3 s that make a call "
            "payable. Before that, agent-2 is busy and agent-3 presses 2 to decline."
        ),
        ani="+12015550143",
        caller=_repair_in("07030"),
        phones={
            "agent-1": accepts(after_ms=600, ring_ms=900),
            "agent-2": busy(ring_ms=200),
            "agent-3": declines(after_ms=300, ring_ms=400),
            "agent-4": rings_forever(),
        },
        leaves=Leaves(1_500, "agent-1", "pressed"),
        after="qualified-and-paid",
        expected=Expected(
            disposition="connected",
            winner="agent-1",
            fails=("connected_at_least",),
            legs={"agent-1": "won", "agent-2": "busy", "agent-3": "declined", "agent-4": "lost"},
            cause_26=("agent-4",),
            transfers=("hold", "void"),
        ),
    ),
    Scenario(
        name="outside-the-area",
        story=(
            "A caller enters a ZIP code of Los Angeles. All agents of this campaign serve New York and New "
            "Jersey, so no phone rings and the caller hears an announcement."
        ),
        ani="+13105550144",
        caller=_repair_in("90001"),
        phones={},
        expected=Expected(
            disposition="no_route",
            fails=("connected", "connected_at_least", "caller_in"),
            excluded=("agent-1", "agent-2", "agent-3", "agent-4", "agent-5"),
        ),
    ),
    Scenario(
        name="repeat-caller",
        story=(
            "The caller of the first call calls again, and talks long enough. But the advertiser pays for "
            "the same caller once in 30 days."
        ),
        ani="+12125550142",
        caller=_repair_in("10001"),
        phones={
            "agent-1": rings_forever(),
            "agent-2": rings_forever(),
            "agent-3": rings_forever(),
            "agent-4": accepts(after_ms=600, ring_ms=500),
        },
        leaves=Leaves(4_500, "agent-4", "pressed"),
        after="too-short",
        expected=Expected(
            disposition="connected",
            winner="agent-4",
            fails=("no_repeat_within",),
            legs={"agent-1": "lost", "agent-2": "lost", "agent-3": "lost", "agent-4": "won"},
            cause_26=("agent-1", "agent-2", "agent-3"),
            transfers=("hold", "void"),
        ),
    ),
    Scenario(
        name="nobody-available",
        story=(
            "A caller rings the night number. night-desk-1 is busy, nobody picks up night-desk-2, and "
            "night-desk-3 is switched off, so the caller hears an announcement."
        ),
        ani="+19175550145",
        did=NIGHT_NUMBER,
        phones={"night-desk-1": busy(ring_ms=300), "night-desk-2": rings_forever()},
        expected=Expected(
            disposition="no_answer",
            fails=("connected", "connected_at_least"),
            legs={"night-desk-1": "busy", "night-desk-2": "no_answer", "night-desk-3": "failed"},
        ),
    ),
    Scenario(
        name="caller-gives-up",
        story="The caller hangs up while two phones of the night number ring. Both stop, and no money moves.",
        ani="+16465550146",
        did=NIGHT_NUMBER,
        phones={"night-desk-1": rings_forever(), "night-desk-2": rings_forever()},
        leaves=Leaves(1_500, "night-desk-1", "invited"),
        after="nobody-available",
        expected=Expected(
            disposition="abandoned_queue",
            fails=("connected", "connected_at_least"),
            legs={"night-desk-1": "cancelled", "night-desk-2": "cancelled", "night-desk-3": "failed"},
        ),
    ),
)
