"""The live board: each party's own calls, leg by leg; groups when there are many; parts that come when they changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from httpx import AsyncClient
from sqlalchemy import Engine

from ari_app.desk.site import Site
from ari_app.domain.basics.clock import iso
from ari_app.serving import running
from ari_app.web.pages import live
from ari_app.web.pages.live import MOST_CALLS
from ari_app.web.state import Web
from tests.kit.database import migrated
from tests.samples import BEGAN
from tests.web.people import HTML, Someone, furnish, sit_down

ADVERTISER, PUBLISHER = Someone("advertiser:acme", "manager"), Someone("publisher:homefix", "manager")
OPERATOR = Someone("operator", "owner")


def live_call(n: int = 1, phase: str = "race", **changes: Any) -> dict[str, Any]:
    """A call under way, as the switch tells it."""
    legs = [
        {"destination": f"agent-{leg}", "wave": 1, "phase": state, "outcome": outcome, "since": iso(BEGAN)}
        for leg, state, outcome in ((1, "ringing", None), (2, "answered", None), (3, "ended", "declined"))
    ]
    return {
        "id": f"call-{n}",
        "did": "+18005550101",
        "ani": f"+1212555{n:04d}",
        "campaign": "plumbing",
        "advertiser": "acme",
        "publisher": "homefix",
        "source": HTML,
        "state": "NY",
        "started_at": iso(BEGAN + n),
        "stage": "ringing",
        "winner": None,
        "phase": phase,
        "connected_at": None,
        "place": "NY",
        "legs": legs,
        **changes,
    }


STATUS = {
    "pid": 7,
    "not_ready": [],
    "asterisk": "connected",
    "marketplace_version": 1,
    "unsaved_calls": 0,
    "calls_by_phase": {"race": 1},
    "agents": [
        {
            "agent": "agent-1",
            "in_use": 1,
            "capacity": 1,
            "paused": None,
            "on_another_call": False,
            "phone": None,
        }
    ],
    "agents_total": 1,
    "supervision": {
        "problem": "",
        "trunks": [{"trunk": "main", "up": True, "contacts": ["Reachable"]}],
        "registrations": {},
    },
}


class Switch:
    """A switch that answers; `calls` are under way."""

    def __init__(self) -> None:
        self.calls = [live_call(), live_call(2, advertiser="zenith", publisher="rival", campaign="roofing")]

    def ask(self, settings: object, path: str) -> Any:
        """What the control socket answers."""
        return STATUS if path == "/status" else self.calls


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Switch:
    """A running switch."""
    found = Switch()
    monkeypatch.setattr(running, "ask", found.ask)
    return found


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The exchange of `people.MARKET`."""
    engine = migrated(tmp_path / "callrace.db")
    furnish(engine)
    yield engine
    engine.dispose()


async def test_each_sees_its_own_calls_and_legs_as_it_may(
    client: AsyncClient, site: Site, switch: Switch
) -> None:
    sit_down(site, client, OPERATOR)
    page = (await client.get("/live")).text
    assert "+12125550001" in page and "roofing" in page and "agent-2" in page and "switch 7 ready" in page
    sit_down(site, client, ADVERTISER)
    page = (await client.get("/live")).text
    assert "+12125550001" in page and "agent-2" in page
    assert "roofing" not in page and "switch 7" not in page and "Trunks" not in page
    sit_down(site, client, PUBLISHER)
    page = (await client.get("/live")).text
    assert "+1212555****" in page and 'class="answered"' in page
    assert "+12125550001" not in page and "agent-1<" not in page and HTML not in page


async def test_without_a_switch_the_board_says_so(client: AsyncClient, site: Site) -> None:
    sit_down(site, client, PUBLISHER)
    page = await client.get("/live")
    assert page.status_code == 200
    assert "No switch is running." in page.text


async def test_many_calls_are_told_in_groups(client: AsyncClient, site: Site, switch: Switch) -> None:
    switch.calls = [live_call(n, "connected") for n in range(1_000)]
    sit_down(site, client, ADVERTISER)
    page = (await client.get("/live")).text
    assert len(switch.calls) > MOST_CALLS
    assert '<th scope="row">plumbing</th>' in page and '<td class="number">1000</td>' in page
    assert page.count("<strong>") == 20
    assert "And 980 more" in page


async def test_a_part_is_sent_again_only_when_it_changed(
    client: AsyncClient, web: Web, site: Site, switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = live._event

    def sent(name: str, html: str) -> bytes:
        if name == "calls" and "Talking" in html:
            web.stopping.set()
        elif name == "calls":
            switch.calls = [live_call(phase="connected", winner="agent-2")]
        return send(name, html)

    monkeypatch.setattr(live, "_event", sent)
    monkeypatch.setattr("ari_app.web.feed.EVERY_S", 0.001)
    sit_down(site, client, ADVERTISER)
    answer = await client.get("/live/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [orjson.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    of_calls = [one["html"] for one in told if one["id"] == "live-calls"]
    assert "agent-1" in of_calls[0]
    assert "Talking" in of_calls[-1] and "agent-2" in of_calls[-1]
    assert len(of_calls) == 2
    assert {one["id"] for one in told} == {"live-state", "live-calls", "live-today"}


async def test_who_may_not_watch_gets_no_stream(client: AsyncClient, site: Site) -> None:
    assert (await client.get("/live/events", headers={"accept": "text/event-stream"})).status_code == 401
