"""What is in Asterisk: told as it documents it, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ari_app.ari.client import Client
from ari_app.ari.errors import AriBadAnswer, AriReplaced, AriTimeout
from ari_app.ari.events import now_ms
from ari_app.ari.inbox import AT_ONCE
from ari_app.switch.recovery import sweep
from ari_app.switch.survey import TURN_S, FirstLook, Survey, look, survey

CALL = "001a20959a68069ae67cc70"
LEG = f"{CALL}-leg-000000"
BRIDGE = f"{CALL}-bridge"


def channel(name: str, state: str = "Up", app_data: str = "", **changes: Any) -> dict[str, Any]:
    dialplan = {"exten": "+18005550101", "app_data": app_data}
    caller = {"number": "+12125550142", "name": "Ann"}
    return {"id": name, "state": state, "name": "PJSIP/x-1", "dialplan": dialplan, "caller": caller} | changes


class Asterisk:
    """Says what is there, and notes who is hung up and which bridges go."""

    def __init__(self, ours: list[str], channels: list[Any], bridges: Mapping[str, list[str]]) -> None:
        self._ours, self._channels, self._bridges = ours, channels, bridges
        self.errors: list[Exception] = []
        self.watched: set[str] = set()
        self.hung_up: list[str] = []
        self.destroyed: list[str] = []
        self.applications = SimpleNamespace(get=self._application)
        self.channels = SimpleNamespace(list=self._list, hangup=self._hang_up)
        self.bridges = SimpleNamespace(list=self._bridged, destroy=self._destroy)

    @property
    def client(self) -> Client:
        return cast(Client, self)

    def is_watched(self, name: str) -> bool:
        return name in self.watched

    async def _application(self) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return {"channel_ids": self._ours}

    async def _list(self) -> Any:
        return self._channels

    async def _bridged(self) -> Any:
        return [{"id": name, "channels": members} for name, members in self._bridges.items()]

    async def _hang_up(self, name: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.hung_up.append(name)

    async def _destroy(self, name: str) -> None:
        self.destroyed.append(name)


async def test_a_survey_knows_every_channels_state_and_of_ours_all() -> None:
    asterisk = Asterisk(
        ["caller", LEG, "gone-since"],
        [channel("caller"), channel(LEG, "Ringing"), channel("theirs", "Down")],
        {BRIDGE: ["caller", LEG], "conference": ["theirs"]},
    )
    before = time.monotonic()
    found = await survey(asterisk.client)
    assert before <= found.asked_at <= time.monotonic()
    assert found.states == {"caller": "Up", LEG: "Ringing", "theirs": "Down"}
    assert set(found.channels) == {"caller", LEG}
    assert found.legs_of == {"caller": ["caller"], CALL: [LEG]}
    assert found.bridges == {BRIDGE: {"caller", LEG}, "conference": {"theirs"}}
    assert found.bridge_of == {"caller": BRIDGE, LEG: BRIDGE, "theirs": "conference"}
    assert found.our_bridges == {BRIDGE}
    assert found.with_("caller") == {"caller", LEG}
    assert found.with_("gone-since") == frozenset()


@pytest.mark.parametrize("broken", [[{"id": "caller"}], [None]])
async def test_what_asterisk_does_not_tell_as_documented_is_an_error_of_its_own(broken: list[Any]) -> None:
    with pytest.raises(AriBadAnswer, match=r"^Asterisk's channels and bridges are not told as it documents"):
        await survey(Asterisk(["caller"], broken, {}).client)


async def test_a_look_is_repeated_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    asterisk = Asterisk([], [], {})
    asterisk.errors = [AriTimeout("no answer"), AriTimeout("no answer")]
    assert (await look(asterisk.client)).states == {}
    assert len(waits) == 2 and all(wait > 0 for wait in waits)


async def test_calls_that_wait_for_the_first_look_go_on_a_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    first = FirstLook(Asterisk(["caller"], [channel("caller")], {}).client)
    await first.found()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    told = [await first.found() for _ in range(2 * AT_ONCE)]
    assert all(found is told[0] for found in told) and set(told[0].channels) == {"caller"}
    assert waits == [TURN_S] * AT_ONCE + [2 * TURN_S]


async def test_a_first_look_that_nobody_waits_for_is_looked_no_more() -> None:
    asterisk = Asterisk([], [], {})
    first = FirstLook(asterisk.client)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first.found()


async def test_a_call_that_is_stopped_while_it_waits_leaves_the_look_to_the_others() -> None:
    first = FirstLook(Asterisk(["caller"], [channel("caller")], {}).client)
    stopped, other = (asyncio.create_task(first.found()) for _ in range(2))
    await asyncio.sleep(0)
    stopped.cancel()
    assert set((await other).channels) == {"caller"}


async def test_a_switch_that_is_replaced_looks_no_more() -> None:
    asterisk = Asterisk([], [], {})
    asterisk.errors = [AriReplaced("another switch")]
    with pytest.raises(AriReplaced):
        await look(asterisk.client)


class TestSweeping:
    """What is in Asterisk and belongs to no call is let go; a caller of whom nothing is known is served."""

    @pytest.fixture(autouse=True)
    def no_wait(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ari_app.switch.recovery.NEW_CALLS_S", 0)
        self.talk: list[Any] = []

    async def swept(
        self, asterisk: Asterisk, had: Callable[[str], bool] = lambda name: False
    ) -> tuple[Survey, list[Any]]:
        served: list[Any] = []
        found = await survey(asterisk.client)
        await sweep(asterisk.client, found, had, served.append, lambda *of: self.talk.append(of))
        return found, served

    async def test_a_caller_is_served_with_what_the_dialplan_handed_over(self) -> None:
        app_data = "callrace,in,+18005550101,+12125550142,A"
        asterisk = Asterisk(["caller"], [channel("caller", "Ring", app_data)], {})
        _, [start] = await self.swept(asterisk)
        assert (start.channel_id, start.args) == ("caller", ("in", "+18005550101", "+12125550142", "A"))
        assert (start.caller_number, start.caller_name) == ("+12125550142", "Ann")
        assert abs(start.at_ms - now_ms()) < 60_000
        assert (start.channel_name, start.extension, start.state) == ("PJSIP/x-1", "+18005550101", "Ring")
        assert asterisk.hung_up == []

    async def test_a_leg_and_a_caller_whose_call_is_over_are_hung_up_and_a_watched_one_is_not(self) -> None:
        app_data = "callrace,in,+18005550101,+12125550142,A"
        channels = [channel("in-hand"), channel(LEG), channel("over", app_data=app_data)]
        asterisk = Asterisk(["in-hand", LEG, "over"], channels, {})
        asterisk.watched = {"in-hand"}
        _, served = await self.swept(asterisk, had=lambda name: name == "over")
        assert (asterisk.hung_up, served) == ([LEG, "over"], [])

    async def test_a_channel_of_which_it_is_not_told_what_it_runs_is_no_call(self) -> None:
        asterisk = Asterisk(["some"], [channel("some", dialplan={"exten": "s"})], {})
        _, served = await self.swept(asterisk)
        assert (asterisk.hung_up, served) == (["some"], [])

    async def test_a_caller_in_a_bridge_is_no_new_call(self) -> None:
        app_data = "callrace,in,+18005550101,+12125550142,A"
        asterisk = Asterisk(["caller"], [channel("caller", app_data=app_data)], {BRIDGE: ["caller"]})
        _, served = await self.swept(asterisk)
        assert (asterisk.hung_up, served, asterisk.destroyed) == (["caller"], [], [BRIDGE])

    async def test_a_bridge_that_is_of_a_call_or_has_somebody_of_one_stays(self) -> None:
        other = "001a20959a68069ae67cc71-bridge"
        bridges = {BRIDGE: ["in-hand"], other: [], "conference": []}
        asterisk = Asterisk(["in-hand"], [channel("in-hand")], bridges)
        asterisk.watched = {"in-hand", other}
        await self.swept(asterisk)
        assert asterisk.destroyed == []

    @pytest.mark.parametrize(
        ("members", "watched", "over", "talk"),
        [
            ([LEG, "caller"], set(), set(), True),
            ([LEG], set(), set(), False),  # nobody is there to talk to
            ([LEG, "caller"], {"caller"}, set(), False),
            ([LEG, "caller"], set(), {LEG}, False),
        ],
    )
    async def test_who_talks_in_a_call_of_which_nothing_is_known_goes_on(
        self, members: list[str], watched: set[str], over: set[str], talk: bool
    ) -> None:
        asterisk = Asterisk(members, [channel(name) for name in members], {BRIDGE: members})
        asterisk.watched = watched
        await self.swept(asterisk, had=lambda name: name in over)
        assert self.talk == ([(asterisk, BRIDGE, frozenset(members))] if talk else [])

    async def test_what_asterisk_refuses_ends_the_sweep_and_nothing_else(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        asterisk = Asterisk([LEG], [channel(LEG)], {})
        found = await survey(asterisk.client)
        asterisk.errors = [AriTimeout("no answer in 5 s")]
        await sweep(asterisk.client, found, lambda name: False, print, print)
        assert "left in Asterisk" in caplog.text and "no answer in 5 s" in caplog.text
