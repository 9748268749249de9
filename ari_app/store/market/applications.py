"""Publishers' applications to campaigns. The steps of an application are only ever added to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, func, insert, select

from ari_app.domain.numbers.applications import Application, Step
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import application_events, applications

_EVENTS = tuple(application_events.c[name] for name in ("n", "at", "event", "state", "note", "by"))


def all_of(engine: Engine) -> list[Application]:
    """Every application, in the order that they were made."""
    with reading(engine) as connection:
        return [_application(row) for row in connection.execute(_newest().order_by(applications.c.id))]


def history(engine: Engine, id: int) -> list[Step]:
    """The steps of an application, oldest first; empty when there is none."""
    query = select(*_EVENTS).where(application_events.c.application_id == id).order_by(application_events.c.n)
    with reading(engine) as connection:
        return [Step(*row) for row in connection.execute(query)]


def get(connection: Connection, id: int) -> Application | None:
    """The application, as this transaction sees it."""
    row = connection.execute(_newest().where(applications.c.id == id)).one_or_none()
    return _application(row) if row else None


def of(connection: Connection, campaign: str, publisher: str) -> Application | None:
    """The application of this publisher to this campaign."""
    is_it = applications.c.campaign == campaign, applications.c.publisher == publisher
    row = connection.execute(_newest().where(*is_it)).one_or_none()
    return _application(row) if row else None


def add(connection: Connection, campaign: str, publisher: str) -> int:
    """Adds an application and returns its id. The caller of this function must add its first step."""
    made = connection.execute(insert(applications).values(campaign=campaign, publisher=publisher))
    assert made.inserted_primary_key is not None
    id: int = made.inserted_primary_key[0]
    return id


def add_step(connection: Connection, id: int, step: Step) -> None:
    """Adds a step. The primary key refuses the second of two steps with the same number."""
    row = {name: getattr(step, name) for name in ("n", "at", "event", "state", "note", "by")}
    connection.execute(insert(application_events), row | {"application_id": id})


def suspended_in(connection: Connection) -> dict[tuple[str, str], str]:
    """Why publishers are suspended from campaigns, by campaign and publisher."""
    rows = map(_application, connection.execute(_newest()))
    return {(a.campaign, a.publisher): a.newest.note or "" for a in rows if a.state == "suspended"}


def steps_of(engine: Engine, campaign: str, publisher: str) -> list[Step]:
    """The steps of this publisher's application to this campaign, oldest first."""
    is_it = applications.c.campaign == campaign, applications.c.publisher == publisher
    query = select(*_EVENTS).join(applications, applications.c.id == application_events.c.application_id)
    with reading(engine) as connection:
        return [
            Step(*row) for row in connection.execute(query.where(*is_it).order_by(application_events.c.n))
        ]


def _newest() -> Select[Any]:
    """Applications with their newest step."""
    table = application_events
    last = select(table.c.application_id, func.max(table.c.n).label("n")).group_by(table.c.application_id)
    newest = last.subquery()
    is_newest = and_(table.c.application_id == newest.c.application_id, table.c.n == newest.c.n)
    joined = applications.join(table, table.c.application_id == applications.c.id).join(newest, is_newest)
    return select(applications.c.id, applications.c.campaign, applications.c.publisher, *_EVENTS).select_from(
        joined
    )


def _application(row: Row[Any]) -> Application:
    id, campaign, publisher, *step = tuple(row)
    return Application(id, campaign, publisher, Step(*step))
