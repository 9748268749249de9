"""Who is in a conversation, and what follows from each thing that can happen, in each state of it."""

from __future__ import annotations

from itertools import product

import pytest

from ari_app.domain.routing.conversation import (
    AllGone,
    Begin,
    Conversation,
    End,
    GiveBack,
    HangUpParty,
    Joined,
    Left,
    LimitReached,
    Lost,
    Release,
    Ringback,
    Rung,
    State,
    Stopped,
    TalkCommand,
    TalkEvent,
    Unbridged,
)

LIMIT_MS = 60_000


EVENTS: tuple[TalkEvent, ...] = (
    *(kind(role) for kind in (Joined, Left, Lost) for role in ("caller", "agent", "transferee")),  # type: ignore[arg-type]
    Rung(),
    AllGone(),
    Unbridged(),
    LimitReached(),
    Stopped(),
)
# How each state is come to, and who is there to be let go.
WAYS: dict[State, tuple[tuple[TalkEvent, ...], tuple[TalkCommand, ...]]] = {
    State.ALONE: ((), ()),
    State.TALKING: ((Joined("agent"),), (HangUpParty("agent"),)),
    State.CALLING: ((Joined("agent"), Rung()), (HangUpParty("agent"), HangUpParty("transferee"))),
    State.WAITING: ((Joined("agent"), Rung(), Left("agent")), (HangUpParty("transferee"),)),
    State.IN_THREE: (
        (Joined("agent"), Joined("transferee")),
        (HangUpParty("agent"), HangUpParty("transferee")),
    ),
    State.TRANSFERRED: ((Joined("agent"), Joined("transferee"), Left("agent")), (HangUpParty("transferee"),)),
    State.OVER: ((Joined("agent"), Left("caller")), ()),
}
# Who joins, and who goes while others stay: what is then, and what is to be done.
CHANGES: dict[tuple[State, TalkEvent], tuple[State, tuple[TalkCommand, ...]]] = {
    (State.ALONE, Joined("agent")): (State.TALKING, (Begin(),)),
    (State.TALKING, Joined("transferee")): (State.IN_THREE, ()),
    (State.TALKING, Left("agent")): (State.ALONE, (End("agent"),)),
    (State.TALKING, Lost("agent")): (State.ALONE, (End("agent"),)),
    (State.TALKING, Rung()): (State.CALLING, ()),
    (State.CALLING, Joined("transferee")): (State.TRANSFERRED, (Release(),)),
    (State.CALLING, Left("transferee")): (State.TALKING, (GiveBack(),)),
    (State.CALLING, Lost("transferee")): (State.TALKING, (GiveBack(),)),
    (State.CALLING, Left("agent")): (State.WAITING, (Ringback(start=True),)),
    (State.CALLING, Lost("agent")): (State.WAITING, (Ringback(start=True),)),
    (State.WAITING, Joined("transferee")): (State.TRANSFERRED, (Ringback(start=False),)),
    (State.WAITING, Left("transferee")): (State.ALONE, (End("agent"),)),
    (State.WAITING, Lost("transferee")): (State.ALONE, (End("agent"),)),
    (State.IN_THREE, Left("transferee")): (State.TALKING, ()),
    (State.IN_THREE, Lost("transferee")): (State.TALKING, ()),
    (State.IN_THREE, Left("agent")): (State.TRANSFERRED, ()),
    (State.IN_THREE, Lost("agent")): (State.TRANSFERRED, ()),
    (State.TRANSFERRED, Left("transferee")): (State.ALONE, (End("agent"),)),
    (State.TRANSFERRED, Lost("transferee")): (State.ALONE, (End("agent"),)),
}


def come_to(state: State) -> Conversation:
    conversation = Conversation(LIMIT_MS)
    for event in WAYS[state][0]:
        conversation.handle(event, 1_000)
    assert conversation.state is state
    return conversation


def expected(state: State, event: TalkEvent) -> tuple[State, tuple[TalkCommand, ...]]:
    """What ends a conversation ends it for all who are there."""
    if (state, event) in CHANGES:
        return CHANGES[state, event]
    there = WAYS[state][1]
    if not there:
        return state, ()
    match event:
        case Left("caller") | Lost("caller"):
            return State.OVER, (End("caller"), *there)
        case AllGone():
            return State.OVER, (End("system"),)
        case Unbridged() | LimitReached() | Stopped():
            return State.OVER, (End("system"), *there)
    return state, ()


@pytest.mark.parametrize(("state", "event"), list(product(State, EVENTS)))
def test_what_follows_from_an_event_in_a_state(state: State, event: TalkEvent) -> None:
    conversation = come_to(state)
    then, commands = expected(state, event)
    assert conversation.handle(event, 1_000 + LIMIT_MS) == commands
    assert conversation.state is then


def test_its_time_runs_from_the_bridge_until_somebody_leaves() -> None:
    conversation = Conversation(LIMIT_MS)
    assert (conversation.is_on, conversation.talked_ms, conversation.deadline()) == (False, 0, None)
    conversation.handle(Joined("agent"), 1_000)
    assert (conversation.is_on, conversation.talked_ms, conversation.deadline()) == (True, 0, 61_000)
    conversation.handle(Left("agent"), 31_000)
    assert (conversation.is_on, conversation.talked_ms, conversation.deadline()) == (False, 30_000, None)
    assert conversation.ended_by == "agent"


def test_a_limit_that_is_not_reached_ends_nothing() -> None:
    conversation = come_to(State.TALKING)
    assert conversation.handle(LimitReached(), 60_999) == ()
    assert conversation.is_on


def test_a_transfer_begins_no_second_conversation() -> None:
    conversation = come_to(State.TRANSFERRED)
    assert (conversation.began_at, conversation.is_on) == (1_000, True)
    conversation.handle(Left("caller"), 9_000)
    assert conversation.talked_ms == 8_000


@pytest.mark.parametrize(
    ("leaves", "joins", "handed_over_at"),
    [(None, 5_000, 5_000), (3_000, 5_000, 3_000), (None, None, None)],
    ids=["who is called comes", "the agent has left before", "who is called does not come"],
)
def test_the_agents_part_ends_when_the_agent_is_needed_no_more(
    leaves: int | None, joins: int | None, handed_over_at: int | None
) -> None:
    conversation = come_to(State.CALLING)
    if leaves is not None:
        conversation.handle(Left("agent"), leaves)
    conversation.handle(Left("transferee") if joins is None else Joined("transferee"), joins or 5_000)
    conversation.handle(Left("caller"), 9_000)
    assert (conversation.handed_over_at, conversation.talked_ms) == (handed_over_at, 8_000)


def test_a_caller_who_is_alone_again_may_talk_to_another() -> None:
    conversation = come_to(State.TALKING)
    conversation.handle(Lost("agent"), 5_000)
    conversation.handle(Joined("agent"), 20_000)
    assert (conversation.is_on, conversation.began_at, conversation.ended_by) == (True, 20_000, None)


def test_what_ended_before_it_is_known_to_have_begun_lasted_no_time() -> None:
    conversation = come_to(State.TALKING)
    conversation.handle(Lost("agent"), 900)
    assert conversation.talked_ms == 0
