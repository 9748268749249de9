"""SIP callers and agents made of SIPp processes, for the demo, the live tests and the bench.

SIPp handles SIP: one process for each agent or group of callers. RTP is our own code, because SIPp sends audio and
digits through raw sockets, which need root, and cannot report what it heard. SIPp reports events on a pipe. We control
it with one private SIP request (HANGUP, matched by Call-ID).

    async with Agent("agent-1", accepts(after_ms=2000)) as agent, \\
               Caller("+18005550101", "+12125550142", [wait_ms(1500), press("1"), talk()]) as caller:
        await agent.wait_for("bye")
"""

from ari_app.lab.sipp.agents import (
    Agent,
    Behaviour,
    accepts,
    answers,
    answers_oddly,
    answers_silently,
    busy,
    declines,
    forwards,
    hangs_up,
    presses,
    rings_forever,
)
from ari_app.lab.sipp.call import Call, CallEvent, NotSeen
from ari_app.lab.sipp.caller_scenario import Written
from ari_app.lab.sipp.callers import Caller, Callers, Outcome
from ari_app.lab.sipp.process import SippFailed
from ari_app.lab.sipp.steps import Step, hang_up, press, talk, talk_ms, wait_ms

__all__ = [
    "Agent",
    "Behaviour",
    "Call",
    "CallEvent",
    "Caller",
    "Callers",
    "NotSeen",
    "Outcome",
    "SippFailed",
    "Step",
    "Written",
    "accepts",
    "answers",
    "answers_oddly",
    "answers_silently",
    "busy",
    "declines",
    "forwards",
    "hang_up",
    "hangs_up",
    "press",
    "presses",
    "rings_forever",
    "talk",
    "talk_ms",
    "wait_ms",
]
