"""Who did what is kept, in the transaction of what they did."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete, update
from sqlalchemy.exc import DBAPIError

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import audit_log

ASSIGNED = Entry(1000, "ada", "numbers.assign", "+12125550100", {"publisher": "homefix"})
RELEASED = Entry(2000, "program:callrace", "numbers.release", "+12125550100", {"why": "naïve"})
PAUSED = Entry(3000, "ada", "agents.pause", "agent-1")


def kept(engine: Engine, *entries: Entry) -> None:
    with writing(engine) as connection:
        for entry in entries:
            auditlog.note(connection, entry)


def test_the_newest_are_first_and_can_be_asked_for_by_actor_and_subject(engine: Engine) -> None:
    kept(engine, ASSIGNED, RELEASED, PAUSED)
    assert auditlog.newest(engine, 2) == [PAUSED, RELEASED]
    assert auditlog.newest(engine, 9, actor="ada") == [PAUSED, ASSIGNED]
    assert auditlog.newest(engine, 9, subject="+12125550100") == [RELEASED, ASSIGNED]
    assert auditlog.newest(engine, 9, actor="ada", subject="+12125550100") == [ASSIGNED]


def test_what_was_not_done_leaves_no_line(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        auditlog.note(connection, ASSIGNED)
        raise RuntimeError("and it is undone")
    assert auditlog.newest(engine, 9) == []


@pytest.mark.parametrize("change", [update(audit_log).values(actor="eve"), delete(audit_log)])
def test_no_line_is_ever_changed(engine: Engine, change: object) -> None:
    kept(engine, ASSIGNED)
    with pytest.raises(DBAPIError, match="never changed"), writing(engine) as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert auditlog.newest(engine, 9) == [ASSIGNED]
