"""Watches Asterisk by AMI while a switch runs: trunks, registrations, phones in use, channels.

It runs in a thread with its own event loop, and only reports what it sees. So no call waits for AMI, even when AMI
hangs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from ari_app.ari.backoff import delays
from ari_app.settings import Settings, SettingsError
from ari_app.watch import ami
from ari_app.watch.ami import AmiError, Session
from ari_app.watch.asteriskchecks import AGENTS
from ari_app.watch.memory import asterisk_memory
from ari_app.watch.taskprocessors import TaskProcessors

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
STOP_S = 2.0
_TECHNOLOGY = "PJSIP/"
_CHANGES = "name(DeviceStateChange)"
_AWAY = ("Unreachable", "Removed")


@dataclass(frozen=True, slots=True)
class Seen:
    """The state of Asterisk at one moment. `problem` says why nothing is known; it is empty when Asterisk was read.

    `trunks`: the contacts of each trunk (`uri status`), None when Asterisk has no such endpoint. `registrations`: the
    status of our registration at each server. `loose`: the ids of channels in no bridge. `overloaded`: the task
    processors that were overloaded lately, and how many tasks waited. `memory_bytes`: Asterisk's resident memory, None
    when it cannot be read.
    """

    problem: str = ""
    trunks: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    registrations: dict[str, str] = field(default_factory=dict)
    channels: int = 0
    loose: tuple[str, ...] = ()
    overloaded: dict[str, int] = field(default_factory=dict)
    memory_bytes: int | None = None

    def json(self) -> dict[str, Any]:
        """The form that operators see. A trunk is up unless it is missing, or none of its contacts answers."""
        return {
            "ami": "not connected" if self.problem else "connected",
            "problem": self.problem,
            "trunks": [
                {"trunk": name, "up": _is_up(contacts), "contacts": list(contacts or ())}
                for name, contacts in self.trunks.items()
            ],
            "registrations": self.registrations,
            "channels": self.channels,
            "overloaded": self.overloaded,
            "memory_bytes": self.memory_bytes,
        }


Tell = Callable[[Seen], None]
TellPhone = Callable[[str, str], None]


@asynccontextmanager
async def supervision(
    settings: Settings, trunks: Callable[[], Collection[str]], tell: Tell, tell_phone: TellPhone
) -> AsyncIterator[None]:
    """Watches while the block lasts. `tell` and `tell_phone(phone, state)` are called on the caller's event loop.

    `trunks()` is called in the thread, and returns the trunks to look at.
    """
    ours, theirs = asyncio.get_running_loop(), asyncio.new_event_loop()

    def pass_on(seen: Seen) -> None:
        ours.call_soon_threadsafe(tell, seen)

    def pass_on_phone(phone: str, state: str) -> None:
        ours.call_soon_threadsafe(tell_phone, phone, state)

    task = theirs.create_task(watch(settings, trunks, pass_on, pass_on_phone))

    def run() -> None:
        theirs.run_until_complete(asyncio.wait([task]))
        theirs.run_until_complete(asyncio.sleep(0))  # the connection ends in a callback
        theirs.close()
        if not task.cancelled():  # it ends by itself only because of a defect in our code
            log.error("supervision broke; calls go on without it", exc_info=task.exception())
            pass_on(Seen(problem=f"supervision broke ({task.exception()!r}); restart the switch"))

    thread = threading.Thread(target=run, name="callrace-supervision", daemon=True)
    thread.start()
    try:
        yield
    finally:
        if not theirs.is_closed():
            theirs.call_soon_threadsafe(task.cancel)
        await asyncio.to_thread(thread.join, STOP_S)


async def watch(
    settings: Settings, trunks: Callable[[], Collection[str]], tell: Tell, tell_phone: TellPhone
) -> None:
    """Reports Asterisk's state every LOOK_EVERY_S, and each change of a phone's state. Runs for ever.

    After a lost connection it reconnects, with growing pauses.
    """
    waits, processors = delays(), TaskProcessors(settings.asterisk_log)
    while True:
        try:
            async with ami.session(settings, events="call") as asterisk:
                await _hear_phones(asterisk, {AGENTS, *trunks()}, tell_phone)
                waits = delays()
                while True:
                    seen = await look(asterisk, trunks())
                    overloaded = processors.look(time.monotonic())
                    memory_bytes = asterisk_memory(settings.asterisk_pid_file)
                    tell(replace(seen, overloaded=overloaded, memory_bytes=memory_bytes))
                    await asterisk.wait(LOOK_EVERY_S)
        except (AmiError, SettingsError) as error:
            tell(Seen(problem=str(error)))
        except Exception as error:
            log.error("supervision broke, and is begun again: %s", error, exc_info=error)
            tell(Seen(problem=f"supervision broke ({error!r}); see the switch's log"))
        await asyncio.sleep(next(waits))


async def look(asterisk: Session, trunks: Collection[str]) -> Seen:
    """Asterisk's state now. Raises AmiError."""
    endpoints = {name: await ami.ask_endpoint(asterisk, name) for name in sorted(trunks)}
    registrations = await asterisk.ask("PJSIPShowRegistrationsOutbound")
    channels = [m for m in await asterisk.ask("CoreShowChannels") if m.event == "CoreShowChannel"]
    return Seen(
        trunks={name: None if state is None else state.contacts for name, state in endpoints.items()},
        registrations={
            m.serveruri: m.status for m in registrations if m.event == "OutboundRegistrationDetail"
        },
        channels=len(channels),
        loose=tuple(m.uniqueid for m in channels if not m.bridgeid),
    )


def _is_up(contacts: tuple[str, ...] | None) -> bool:
    if contacts is None:
        return False
    return not contacts or not all(contact.endswith(_AWAY) for contact in contacts)


async def _hear_phones(asterisk: Session, shared: Collection[str], tell_phone: TellPhone) -> None:
    """Reports the present state of all phones, and from then on each change.

    The endpoints in `shared` carry many calls, so they are no phones: their states are left out.
    """

    def changed(message: Any) -> None:
        if message.device.startswith(_TECHNOLOGY):
            tell_phone(message.device.removeprefix(_TECHNOLOGY), message.state)

    asterisk.on("DeviceStateChange", changed)
    await asterisk.ask("Filter", Operation="Add", MatchCriteria=_CHANGES, Filter="")
    for name in shared:
        criteria = f"action(exclude),{_CHANGES},header(Device),method(exact)"
        await asterisk.ask("Filter", Operation="Add", MatchCriteria=criteria, Filter=_TECHNOLOGY + name)
    for message in await asterisk.ask("DeviceStateList"):
        if message.event == "DeviceStateChange":
            changed(message)
