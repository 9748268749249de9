"""The way to PostgreSQL: no connection that hangs is waited for.

A peer that has gone without a word is given up by TCP itself within PEER_GONE_S, at both ends: ours by libpq's
parameters, the server's by its settings, so that it does not keep the locks of whoever has gone
(https://www.postgresql.org/docs/current/libpq-connect.html). What TCP cannot see, such as a server that is frozen
and whose kernel still acknowledges, is given up by us: `_wait` is psycopg2's hook for waiting, and ends a connection
that was silent for too long (https://www.psycopg.org/docs/advanced.html#support-for-coroutine-libraries).
"""

from __future__ import annotations

import select
from collections.abc import Mapping
from typing import Any

from psycopg2 import OperationalError
from psycopg2.extensions import POLL_OK, POLL_READ, connection, set_wait_callback
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

CONNECT_TIMEOUT_S = 5.0
PEER_GONE_S = 2
PATIENT_S = 60.0  # silence, where much is read
# Between two statements of one transaction. Whoever is silent for longer loses it, and with it its locks.
_IDLE_MS = 2000

_TCP = {
    "keepalives": 1,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": PEER_GONE_S,
    "tcp_user_timeout": PEER_GONE_S * 1000,
}
_SERVERS_TCP = {
    "tcp_keepalives_idle": 1,
    "tcp_keepalives_interval": 1,
    "tcp_keepalives_count": PEER_GONE_S,
    "tcp_user_timeout": PEER_GONE_S * 1000,
}
_ONE_STATE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_NO_LIMIT = "; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


class _Connection(connection):  # type: ignore[misc]
    """A connection whose server may be silent for `silence_s`; None: for as long as it likes, once connected."""

    silence_s: float | None = CONNECT_TIMEOUT_S


def open_postgresql(url: URL) -> Engine:
    """An engine for commands: a statement may take its time."""
    return _open(url, None, {}, _ONE_STATE)


def open_serving(url: URL, answer_s: float) -> Engine:
    """An engine for programs that serve calls: a server that is silent for `answer_s` is given up.

    It is told to end a writing statement before that, so a silent one is not at work. What reads may be given
    more time, see `be_patient`.
    """
    limits = {"statement_timeout": int(answer_s * 800), "idle_in_transaction_session_timeout": _IDLE_MS}
    return _open(url, answer_s, limits, _ONE_STATE + _NO_LIMIT)


def open_hasty_postgresql(url: URL, patience_ms: int, answer_s: float) -> Engine:
    """An engine for what somebody waits for: a statement is ended after `patience_ms`, and a commit not waited for."""
    limits = {
        "statement_timeout": patience_ms,
        "synchronous_commit": "off",
        "idle_in_transaction_session_timeout": _IDLE_MS,
    }
    return _open(url, answer_s, limits, _ONE_STATE)


def be_patient(connection: Connection) -> None:
    """Lets the server be silent for PATIENT_S, where it was limited: for what is read in bulk."""
    its = _driver_connection(connection)
    if its.silence_s is not None:
        its.silence_s = PATIENT_S


def _open(url: URL, silence_s: float | None, settings: Mapping[str, object], begin_reading: str) -> Engine:
    set_wait_callback(_wait)
    args: dict[str, Any] = {**_TCP, "connection_factory": _Connection}
    if settings:
        ours = " ".join(f"-c {name}={value}" for name, value in {**settings, **_SERVERS_TCP}.items())
        args["options"] = f"{url.query.get('options', '')} {ours}"
    engine = create_engine(
        url.set(drivername="postgresql+psycopg2"),
        connect_args=args,
        pool_pre_ping=True,
        executemany_mode="values_plus_batch",  # many changes of shared rows in one round trip: they are locked shorter
    )

    def limit(dbapi_connection: Any, *_: object) -> None:
        dbapi_connection.silence_s = silence_s

    def begin(connection: Connection) -> None:
        # Otherwise each statement sees what was committed just before it. A write wants that, after its lock.
        if not connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql(begin_reading)

    event.listen(engine, "connect", limit)
    event.listen(engine, "checkout", limit)
    event.listen(engine, "begin", begin)
    return engine


def _driver_connection(connection: Connection) -> _Connection:
    its = connection.connection.driver_connection
    assert isinstance(its, _Connection)
    return its


def _wait(waiting: connection) -> None:
    """Waits until the connection has done what it was asked. Raises OperationalError, and psycopg2 closes it."""
    limit_s = waiting.silence_s if isinstance(waiting, _Connection) else None
    while (state := waiting.poll()) != POLL_OK:
        poller = select.poll()  # anew each time: while it connects the socket may become another
        poller.register(waiting.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        if not poller.poll(None if limit_s is None else limit_s * 1000):
            raise OperationalError(
                f"the server has been silent for {limit_s:g} s; the connection is given up"
            )
