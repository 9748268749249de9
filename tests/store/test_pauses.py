"""A pause lasts until it is ended, and a running switch can notice both."""

from sqlalchemy import Engine

from ari_app.store.db import revision
from ari_app.store.market import pauses
from ari_app.store.market.pauses import Pause

LUNCH = Pause("agent-1", since=1000, reason="lunch", by="operator")


def test_a_pause_is_listed_until_the_destination_is_resumed(engine: Engine) -> None:
    assert pauses.pause(engine, LUNCH) is True
    assert pauses.paused(engine) == [LUNCH]
    assert pauses.resume(engine, "agent-1") is True
    assert pauses.paused(engine) == []


def test_a_second_pause_changes_nothing(engine: Engine) -> None:
    pauses.pause(engine, LUNCH)
    assert pauses.pause(engine, Pause("agent-1", 2000, "three unanswered calls", "system")) is False
    assert pauses.paused(engine) == [LUNCH]


def test_what_is_not_paused_is_not_resumed(engine: Engine) -> None:
    assert pauses.resume(engine, "agent-1") is False


def test_the_revision_rises_with_each_change_and_only_then(engine: Engine) -> None:
    seen = [revision.read(engine)]
    for _ in range(2):
        pauses.pause(engine, LUNCH)
        seen.append(revision.read(engine))
    for _ in range(2):
        pauses.resume(engine, "agent-1")
        seen.append(revision.read(engine))
    assert seen == [0, 1, 1, 2, 2]
