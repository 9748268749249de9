"""Supervision, against a small server that speaks AMI's bytes and can push events and break off."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from itertools import repeat
from pathlib import Path

import pytest

from ari_app.settings import Settings
from ari_app.watch import ami, supervision
from ari_app.watch.supervision import Seen, watch

LISTS = {
    "DeviceStateList": [
        "Event: DeviceStateChange\nDevice: PJSIP/desk\nState: NOT_INUSE",
        "Event: DeviceStateChange\nDevice: Custom:lamp\nState: INUSE",
    ],
    "PJSIPShowRegistrationsOutbound": [
        "Event: OutboundRegistrationDetail\nServerUri: sip:carrier.example\nStatus: Rejected",
    ],
    "CoreShowChannels": [
        "Event: CoreShowChannel\nUniqueid: a-leg-0\nBridgeId: ",
        "Event: CoreShowChannel\nUniqueid: b-leg-0\nBridgeId: b-bridge",
    ],
}
CONTACT = "Event: ContactStatusDetail\nURI: sip:gw.example\nStatus: Unreachable"


class Asterisk:
    """Answers what is in LISTS, and knows the endpoint `main`."""

    def __init__(self) -> None:
        self.actions: list[dict[str, str]] = []
        self.is_silent = False
        self._writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
                self.actions.append(fields)
                if not self.is_silent:
                    self._answer(fields)
        writer.close()

    def _answer(self, fields: dict[str, str]) -> None:
        events = LISTS.get(fields["Action"], [])
        if fields["Action"] == "PJSIPShowEndpoint":
            if fields["Endpoint"] != "main":
                self._send(f"Response: Error\nActionID: {fields['ActionID']}\nMessage: no such endpoint")
                return
            events = [CONTACT]
        if not events:
            self._send(f"Response: Success\nActionID: {fields['ActionID']}\nMessage: done")
            return
        self._send(f"Response: Success\nActionID: {fields['ActionID']}\nEventList: start\nMessage: follow")
        for event in (*events, f"Event: {fields['Action']}Complete\nEventList: Complete"):
            self._send(f"{event}\nActionID: {fields['ActionID']}")

    def _send(self, message: str) -> None:
        assert self._writer is not None
        self._writer.write(message.replace("\n", "\r\n").encode() + b"\r\n\r\n")

    def push(self, event: str) -> None:
        """Sends an event that nobody asked for."""
        self._send(event)

    def break_off(self) -> None:
        """Ends the connection."""
        assert self._writer is not None
        self._writer.close()


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
async def settings(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings that lead to the server."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ami").write_text("right")
    async with await asyncio.start_server(asterisk.serve, "127.0.0.1", 0) as server:
        yield Settings(tmp_path, "sqlite:///", ami_port=server.sockets[0].getsockname()[1])


class Told:
    """What supervision tells, to be waited for."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[Seen] = asyncio.Queue()
        self.phones: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def phone(self, phone: str, state: str) -> None:
        self.phones.put_nowait((phone, state))


@contextlib.asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Told]:
    """Supervision in a task of this loop, its trunks `main` and `lost`."""
    told = Told()
    task = asyncio.create_task(watch(settings, lambda: {"main", "lost"}, told.seen.put_nowait, told.phone))
    try:
        async with asyncio.timeout(10):
            yield told
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_trunks_registrations_and_channels_are_told(settings: Settings) -> None:
    async with watching(settings) as told:
        assert await told.seen.get() == Seen(
            trunks={"lost": None, "main": ("sip:gw.example Unreachable",)},
            registrations={"sip:carrier.example": "Rejected"},
            channels=2,
            loose=("a-leg-0",),
        )


async def test_phones_are_told_as_they_are_and_as_they_change(settings: Settings, asterisk: Asterisk) -> None:
    async with watching(settings) as told:
        assert await told.phones.get() == ("desk", "NOT_INUSE")  # the lamp is no phone
        await told.seen.get()
        asterisk.push("Event: DeviceStateChange\nDevice: PJSIP/desk\nState: INUSE")
        assert await told.phones.get() == ("desk", "INUSE")


async def test_only_changes_of_phones_are_asked_for(settings: Settings, asterisk: Asterisk) -> None:
    async with watching(settings) as told:
        await told.seen.get()
    wanted, *left_out = [fields for fields in asterisk.actions if fields["Action"] == "Filter"]
    assert wanted["MatchCriteria"] == "name(DeviceStateChange)"
    assert all(fields["MatchCriteria"].startswith("action(exclude),") for fields in left_out)
    assert {fields["Filter"] for fields in left_out} == {"PJSIP/agents", "PJSIP/lost", "PJSIP/main"}


async def test_a_connection_that_breaks_is_told_at_once_and_made_again(
    settings: Settings, asterisk: Asterisk
) -> None:
    async with watching(settings) as told:
        await told.seen.get()
        asterisk.break_off()
        assert "has ended the connection" in (await told.seen.get()).problem
        assert (await told.seen.get()).problem == ""
    assert [fields["Action"] for fields in asterisk.actions].count("Login") == 2


async def test_an_asterisk_that_says_nothing_is_told_in_bounded_time(
    settings: Settings, asterisk: Asterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ami, "TIMEOUT_S", 0.1)
    asterisk.is_silent = True
    async with watching(settings) as told:
        assert "does not answer within 0.1 s" in (await told.seen.get()).problem


async def test_a_password_that_is_missing_is_told_and_tried_again(settings: Settings) -> None:
    secret = settings.home / "secrets" / "ami"
    password = secret.read_text()
    secret.unlink()
    async with watching(settings) as told:
        assert "cannot read the ami password" in (await told.seen.get()).problem
        secret.write_text(password)
        while (await told.seen.get()).problem:
            pass


async def test_it_runs_in_a_thread_of_its_own_and_leaves_none(settings: Settings) -> None:
    told, where = Told(), []

    def tell(seen: Seen) -> None:
        where.append(threading.current_thread())
        told.seen.put_nowait(seen)

    async with asyncio.timeout(10), supervision.supervision(settings, lambda: ["main"], tell, told.phone):
        await told.seen.get()
        assert "callrace-supervision" in [thread.name for thread in threading.enumerate()]
    assert where[0] is threading.main_thread()
    assert "callrace-supervision" not in [thread.name for thread in threading.enumerate()]


async def test_a_defect_of_supervision_is_told_and_logged_and_not_even_ends_supervision(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    monkeypatch.setattr(supervision, "delays", lambda: repeat(0.0))

    def trunks() -> list[str]:
        raise RuntimeError("a defect")

    async with (
        asyncio.timeout(10),
        supervision.supervision(settings, trunks, told.seen.put_nowait, told.phone),
    ):
        for _ in range(2):
            assert "a defect" in (await told.seen.get()).problem
    assert "supervision broke, and is begun again: a defect" in caplog.text


@pytest.mark.parametrize(
    ("contacts", "is_up"),
    [
        (None, False),
        ((), True),
        (("sip:a Unreachable", "sip:b Reachable"), True),
        (("sip:a NonQualified",), True),
        (("sip:a Unreachable", "sip:b Removed"), False),
    ],
)
def test_a_trunk_is_up_unless_it_is_missing_or_nobody_answers(
    contacts: tuple[str, ...] | None, is_up: bool
) -> None:
    [trunk] = Seen(trunks={"main": contacts}).json()["trunks"]
    assert trunk["up"] is is_up
