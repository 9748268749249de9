"""A connection to PostgreSQL that hangs is given up, and another one used, in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ari_app.domain.basics.periods import Period
from ari_app.domain.caps.counters import Answer, Claim, Wanted
from ari_app.serving.caps import Caps
from ari_app.store.calls import calls, writer
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db import engine as engine_module
from ari_app.store.db import postgresql, revision
from ari_app.store.db.engine import open_engine, open_hasty, reading, writing
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.limits import reservations
from tests.samples import BEGAN, make_call, settlement

PATIENCE_S = 10


class Network:
    """Leads from a port of 127.0.0.1 to a Unix socket. What is connected can be made to hang: each end takes what
    the other sends, and nothing comes through, nor does anybody say so. Who connects after that is served.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = threading.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def hang(self) -> None:
        """From now on what is connected says nothing."""
        self._open.clear()
        self._open = threading.Event()
        self._open.set()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._path)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=(source, target, self._open), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket, is_open: threading.Event) -> None:
    with suppress(OSError):  # the other end is gone
        while data := source.recv(65536):
            if is_open.is_set():
                target.sendall(data)


@pytest.fixture
def network(server: str) -> Network:
    return Network(f"{server.partition('host=')[2]}/.s.PGSQL.5432")


@pytest.fixture
def engine(network: Network, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Of a program that serves calls, in a tenth of the time."""
    assert engine_module.HASTY_ANSWER_S < engine_module.ANSWER_S <= 3
    monkeypatch.setattr(engine_module, "ANSWER_S", 0.3)
    monkeypatch.setattr(engine_module, "HASTY_ANSWER_S", 0.1)
    engine = open_engine(f"postgresql://callrace@127.0.0.1:{network.port}/postgres", is_serving=True)
    yield engine
    engine.dispose()


def wish(call_id: str) -> Wanted:
    claim = Claim("campaign:a:qualified:day", Period(0, None), 1, 10**6, "full")
    return Wanted(call_id, (claim,), None, {"agent": ()}, BEGAN, BEGAN * 2)


async def test_caps_are_answered_again(engine: Engine, network: Network) -> None:
    caps = Caps(engine)
    until = time.monotonic() + PATIENCE_S
    while await caps.reserve(wish("first")) != Answer():  # until its lane is connected
        assert time.monotonic() < until
    network.hang()
    hung_at = time.monotonic()
    while await caps.reserve(wish(f"call-{time.monotonic_ns()}")) != Answer():
        pass
    assert time.monotonic() - hung_at < 3  # a tenth of a second, and some calls on lanes that are hung, too


def test_calls_are_saved_by_a_new_connection(
    engine: Engine, network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GATHER_S", 0.01)
    subject = Writer(engine, Spool(tmp_path))
    subject.submit(settlement(make_call(1)))
    assert subject.flush(PATIENCE_S)
    network.hang()
    subject.submit(settlement(make_call(2)))
    assert subject.flush(PATIENCE_S)
    subject.close(1)
    assert calls.saved(engine, [make_call(1).id, make_call(2).id]) == {make_call(1).id, make_call(2).id}


def test_a_connection_that_hangs_in_a_transaction_is_given_up_with_a_clear_error(
    engine: Engine, network: Network
) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"silent for 0\.3 s"), writing(engine) as connection:
        connection.execute(text("SELECT 1"))
        network.hang()
        connection.execute(text("SELECT 1"))
    assert revision.read(engine) >= 0


def test_what_reads_much_may_take_its_time(engine: Engine) -> None:
    slow = text("SELECT pg_sleep(0.5)")
    with reading(engine, is_much=True) as connection:
        connection.execute(slow)
    with pytest.raises(DatabaseUnavailable), reading(engine) as connection:
        connection.execute(slow)


def test_the_locks_of_who_is_silent_in_a_transaction_are_free_again(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_IDLE_MS", 200)
    engine = open_engine(server, is_serving=True)
    hasty = open_hasty(engine, 50)
    reservations.reserve(engine, wish("first"))
    with pytest.raises(DatabaseUnavailable), writing(engine) as silent:
        silent.execute(text("UPDATE counters SET reserved = reserved"))
        until = time.monotonic() + PATIENCE_S
        while True:
            assert time.monotonic() < until
            try:
                reservations.reserve(hasty, wish("second"))
                break
            except DatabaseUnavailable:
                continue
    engine.dispose()
    hasty.dispose()


@pytest.mark.parametrize("is_serving", [True, False])
def test_tcp_gives_a_peer_up_that_has_gone_without_a_word(network: Network, is_serving: bool) -> None:
    url = f"postgresql://callrace@127.0.0.1:{network.port}/postgres"
    engine = open_engine(url, is_serving=is_serving)
    with reading(engine) as connection:
        its = connection.connection.driver_connection
        assert its is not None
        with socket.socket(fileno=socket.dup(its.fileno())) as tcp:
            assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [tcp.getsockopt(socket.IPPROTO_TCP, one) for one in options] == [1, 1, 2, 2000]
    engine.dispose()
