"""`callrace web run` as others meet it: it ends when it is told to, and clients who are slow or loud block nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ari_app.domain.document.reading import parse
from ari_app.store.calls import calls
from ari_app.store.db.engine import open_engine
from ari_app.store.market import marketplaces
from tests import readme
from tests.kit.database import migrated
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE

REPO = Path(__file__).parents[2]


@contextmanager
def serving(home: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program, once it serves, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    migrated(home / "callrace.db").dispose()
    settings = {"CALLRACE_HOME": str(home), "CALLRACE_WEB_PORT": str(port), **env}
    process = subprocess.Popen(
        [sys.executable, "-m", "ari_app.cli.main", "web", "run"],
        cwd=REPO,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("CALLRACE_")}, **settings},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "serving http" in line:
                break
        else:
            raise AssertionError(f"it does not serve: exit code {process.wait()}")
        yield process, port
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_it_takes_as_many_clients_as_it_may(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, _):
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
    soft, hard = line.split()[3:5]
    assert soft == hard


def test_the_readmes_requests_are_answered(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port):
        engine = open_engine(f"sqlite:///{tmp_path}/callrace.db")
        marketplaces.apply(engine, parse(MARKETPLACE, "test.yaml"), now=BEGAN)
        calls.save(engine, [settlement(make_call(1))])
        engine.dispose()
        _, _, script = readme.commands("Ask it by programs").partition("\n")
        callrace = f'callrace() {{ "{sys.executable}" -m ari_app.cli.main "$@"; }}\n'
        env = {**os.environ, "CALLRACE_HOME": str(tmp_path)}
        done = subprocess.run(
            ["bash", "-euc", callrace + script.replace("8480", str(port)).replace("curl", "echo; curl -sS")],
            cwd=REPO,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    first, second, third = (json.loads(line) for line in done.stdout.splitlines() if line)
    assert [call["id"] for call in first["data"]] == [make_call(1).id] and first["next"] == "c1"
    assert second == {"data": [], "next": "c1", "more": False}
    assert (third["amount"], third["is_new"]) == ("500.00", True)


def is_well(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=20) as answer:
        return bool(answer.read() == b"ok\n")


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to_whoever_is_still_connected(tmp_path: Path, by: signal.Signals) -> None:
    with serving(tmp_path) as (process, port):
        assert is_well(port)
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET / HTTP/1.1\r\nHost: ")
            process.send_signal(by)
            assert process.wait(20) == 0


def test_a_second_one_for_the_same_home_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path), pytest.raises(AssertionError, match="exit code 1"), serving(tmp_path):
        pass


def test_slow_clients_block_nobody_and_a_megabyte_of_headers_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port):
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(300)]
        for one in slow:
            one.sendall(b"POST /api/v1/calls HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        assert is_well(port)
        with socket.create_connection(("127.0.0.1", port)) as loud:
            loud.settimeout(20)
            try:
                loud.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Loud: " + b"x" * 2**20 + b"\r\n\r\n")
                answer = loud.recv(100)
            except ConnectionError:  # it hung up while we were still talking
                answer = b""
            assert answer in (b"",) or answer.startswith(b"HTTP/1.1 400")
        assert is_well(port)
        for one in slow:
            one.close()
