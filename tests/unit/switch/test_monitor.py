"""Metrics, health and readiness over HTTP, of a switch that is connected to a script."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from ari_app.ari.client import connect
from ari_app.domain.document.reading import parse
from ari_app.store.market import marketplaces
from ari_app.switch import app as app_module
from ari_app.switch.app import Switch
from ari_app.switch.monitor import HOST, monitor, routes
from tests.kit.database import migrated
from tests.kit.switch import assembled
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    """A switch with a marketplace in force, not connected yet."""
    engine = migrated(tmp_path / "callrace.db")
    marketplaces.apply(engine, parse(MARKETPLACE, "test.yaml"), now=1_763_900_000_000)
    made = assembled(engine, tmp_path, GEOGRAPHY)
    made.switch.load()
    yield made.switch
    made.writer.close(5)


@pytest.fixture
async def connected(switch: Switch) -> AsyncIterator[Switch]:
    """The switch, connected."""
    async with connect(SETTINGS, switch.on_incoming, ScriptedTransport()) as client:
        switch.client = client
        yield switch


@pytest.fixture
async def http(connected: Switch) -> AsyncIterator[TestClient]:
    """Asks the connected switch."""
    async with TestClient(TestServer(routes(connected))) as client:
        yield client


async def test_metrics_are_told_as_prometheus_reads_them(http: TestClient) -> None:
    answer = await http.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    text = await answer.text()
    assert "callrace_marketplace_version 1.0\n" in text
    assert 'callrace_calls_under_way{phase="race"} 0.0\n' in text


async def test_a_connected_switch_with_a_marketplace_is_ready(http: TestClient) -> None:
    answer = await http.get("/readyz")
    assert (answer.status, await answer.text()) == (200, "ready\n")


async def test_a_draining_switch_is_alive_and_not_ready(http: TestClient, connected: Switch) -> None:
    await connected.drain()
    assert (await http.get("/healthz")).status == 200
    answer = await http.get("/readyz")
    assert (answer.status, await answer.text()) == (503, "draining\n")


def test_a_switch_without_asterisk_is_not_ready(switch: Switch) -> None:
    assert switch.not_ready() == ["Asterisk is not connected"]


async def test_a_switch_without_a_marketplace_is_not_ready(connected: Switch) -> None:
    connected.market.snapshot = None
    assert connected.not_ready() == ["no marketplace is applied"]


async def test_a_switch_whose_calls_cannot_be_saved_is_not_ready(
    connected: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "BACKLOG_LIMIT", 0)
    assert connected.not_ready() == ["0 calls wait to be saved"]


async def test_a_port_that_is_taken_stops_no_switch(
    connected: Switch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server((HOST, 0)) as taken, caplog.at_level(logging.WARNING):
        async with monitor(connected, taken.getsockname()[1]):
            assert "choose CALLRACE_METRICS_PORT" in caplog.text


async def test_it_listens_on_loopback_until_the_block_ends(connected: Switch) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    async with monitor(connected, port), aiohttp.ClientSession() as session:
        assert (await session.get(f"http://{HOST}:{port}/healthz")).status == 200
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), 1)
