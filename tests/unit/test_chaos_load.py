"""The chaos suite's own bookkeeping: what SIPp tells of one call, whatever comes first."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

from ari_app.lab.sipp.call import CallEvent
from tests.chaos.load import Load

NUMBER = "<sip:+12122000001@127.0.0.1>"
INVITED = CallEvent(1.0, "invited", "agent-call", {"from": NUMBER})
CALLING = CallEvent(0.9, "calling", "caller-call", {"from": NUMBER, "to": "+18005550101"})


def party(name: str, *events: CallEvent) -> Any:
    """A party whose one call has had these events."""
    call = SimpleNamespace(of=lambda what: [one for one in events if one.what == what], hang_up=lambda: None)
    return SimpleNamespace(name=name, calls={events[0].call_id: call})


async def test_what_an_agent_tells_before_the_caller_does_counts_all_the_same() -> None:
    load = Load(Random(1))
    agent, caller = party("agent-1", INVITED), party("callers", CALLING)
    for what, at in (("invited", 1.0), ("answered", 1.3), ("established", 1.4)):
        load.rung(agent, CallEvent(at, what, "agent-call", INVITED.detail))
    assert not load.calls
    load.called(caller, CALLING)
    [seen] = load.calls.values()
    assert seen.taken_at == [1.3]
    assert [(talk.agent, talk.since) for talk in seen.talks] == [("agent-1", 1.4)]
