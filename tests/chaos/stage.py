"""What calls go through: Asterisk, the switch, the AGI server, PostgreSQL, a disk. Each can fail by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from ari_app.lab.ports import free_tcp_ports
from ari_app.serving import running
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import calls
from tests.chaos import desk, namespace
from tests.chaos.market import SPOOLED_DID
from tests.live.lab import REPO, Lab, private
from tests.live.process import AgiProcess, SwitchProcess
from tests.samples import make_call, settlement
from tests.store.postgres import Cluster, cluster

HOME = REPO / "var" / "chaos"
DISK_MB = 256  # the journal's file may grow to 64 MB, and while it is begun anew there are two
WELL_S = 90.0
QUIET_S = 120.0
SPOOLED_AT_ONCE = 500
_POLL_S = 0.05


class StageError(Exception):
    """A part does not come up, or back."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk on which the journal and the spool are."""

    folder: Path

    def fill(self) -> None:
        """Leaves no byte free."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(65536))

    def clear(self) -> None:
        """Gives the room back."""
        (self.folder / "ballast").unlink()


@dataclass(frozen=True, slots=True)
class Stage:
    """All parts, running. `starting` is held by whoever keeps Asterisk down, or starts it."""

    lab: Lab
    postgres: Cluster
    switch: SwitchProcess
    agi: AgiProcess
    disk: Disk
    first_agent_port: int
    crowd: Callable[[int], AbstractAsyncContextManager[None]]
    starting: asyncio.Lock = field(default_factory=asyncio.Lock)

    # Pids

    @property
    def switch_pid(self) -> int:
        """The switch's process."""
        pid = running.running_pid(self.switch.settings)
        if pid is None:
            raise StageError("no switch runs")
        return pid

    def postgres_pids(self) -> list[int]:
        """PostgreSQL's processes, the one that starts the others first."""
        parent = int((self.postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    # The spool

    def fill_spool(self, size: int) -> None:
        """Puts so many calls that ended into the spool, as an outage of the database would have."""
        spool = Spool(self.switch.settings.spool)
        with reading(self.switch.engine) as connection:
            count = select(func.count()).where(calls.c.did == SPOOLED_DID)
            first = connection.execute(count).scalar_one()
        for n in range(first, first + size, SPOOLED_AT_ONCE):
            numbers = range(n, min(n + SPOOLED_AT_ONCE, first + size))
            spool.put([settlement(make_call(number, did=SPOOLED_DID, events=[])) for number in numbers])

    # Asterisk

    async def start_asterisk(self) -> None:
        """Returns when it has booted. Raises StageError."""
        started = await asyncio.to_thread(self.lab.run, "up")
        if started.returncode:
            raise StageError(f"Asterisk did not start:\n{started.stderr[-2000:]}")

    def asterisk_version(self) -> str:
        """What Asterisk says it is."""
        said = self.lab.run("rx", "core", "show", "version").stdout
        return next(line for line in said.splitlines() if line.startswith("Asterisk")).split(" built")[0]

    # How it all is

    async def status(self) -> dict[str, Any] | None:
        """What the switch says of itself; None when it says nothing."""
        try:
            said: dict[str, Any] = await asyncio.to_thread(self.switch.ask, "/status")
        except running.SwitchError:
            return None
        return said

    async def is_well(self) -> bool:
        """Whether calls are served by the switch again, watched by AMI, saved, and covered by the AGI server."""
        said = await self.status()
        return (
            said is not None
            and said["asterisk"] == "connected"
            and not said["not_ready"]
            and len(Spool(self.switch.settings.spool)) == 0
            and self.agi.is_serving()
        )

    async def wait_until_well(self) -> None:
        """Raises StageError when that takes longer than WELL_S."""
        await until(self.is_well, WELL_S, "calls are not served and saved again")

    async def left(self) -> list[str]:
        """What is there though no call should be, in words: it takes a while to go."""
        said = await self.status() or {"no status": True}
        found = {
            "channels": len(await self.lab.ask("GET", "channels")),
            "bridges": len(await self.lab.ask("GET", "bridges")),
            "calls in the switch": said.get("calls", -1),
            "calls unsaved": said.get("unsaved_calls", -1),
            "capacity in use": sum(said.get("capacity_in_use", {"?": 1}).values()),
            "calls in the journal": len(Journal(self.switch.settings.journal).left()),
            "calls in the spool": len(Spool(self.switch.settings.spool).kept()),
            "lines of the dialplan": sum(
                path.with_suffix(suffix).exists()
                for path in self.switch.settings.fallback_files
                for suffix in (".csv", ".aside", ".open", ".refused")
            ),
        }
        return [f"{what}: {count}" for what, count in found.items() if count]

    async def wait_until_quiet(self) -> list[str]:
        """What is left when all has had time to go; empty as it should be."""
        end = time.monotonic() + QUIET_S
        while (found := await self.left()) and time.monotonic() < end:
            await asyncio.sleep(1)
        return found


async def until(is_so: Callable[[], Awaitable[bool]], timeout_s: float, otherwise: str) -> None:
    """Waits for what tells nobody that it has come. Raises StageError."""
    end = time.monotonic() + timeout_s
    while not await is_so():
        if time.monotonic() > end:
            raise StageError(f"{otherwise} after {timeout_s:g} s")
        await asyncio.sleep(_POLL_S)


@asynccontextmanager
async def stage(
    document: Mapping[str, Any],
    first_agent_port: int,
    crowd: Callable[[str, int], AbstractAsyncContextManager[None]],
) -> AsyncIterator[Stage]:
    """Everything, started, with a marketplace in force; ended with the block. Raises StageError.

    `crowd(sip, size)`: so many conversations at once, under way while its block lasts.
    """
    [port] = free_tcp_ports(1)
    with cluster(port) as postgres, _lab() as lab:
        disk = _disk()
        switch = SwitchProcess(lab, HOME, postgres.url)
        agi = AgiProcess(switch.environment, HOME)
        made = Stage(lab, postgres, switch, agi, disk, first_agent_port, partial(crowd, lab.sip))
        try:
            await made.start_asterisk()
            switch.apply(document)
            await desk.open_shop(switch)
            await agi.start()
            await switch.start()
            yield made
        finally:
            _wake(made)
            await switch.stop()
            await agi.stop()
            switch.engine.dispose()


def _wake(made: Stage) -> None:
    """What a fault that was cut short has left stopped could not be ended."""
    with suppress(OSError, StageError):
        for pid in (*made.postgres_pids(), made.lab.pid, made.switch_pid):
            os.kill(pid, signal.SIGCONT)


def _disk() -> Disk:
    disk = Disk(HOME / "disk")
    namespace.mount_disk(disk.folder, DISK_MB)
    for name in ("journal", "spool"):
        namespace.mount_folder(disk.folder / name, HOME / name)
    return disk


@contextmanager
def _lab() -> Iterator[Lab]:
    lab = private(HOME)
    lab.run("down")  # one that was left behind has other ports
    for name in ("log", "spool"):
        shutil.rmtree(HOME / "asterisk" / name, ignore_errors=True)
    for log in HOME.glob("*.log"):
        log.unlink()
    try:
        yield lab
    finally:
        lab.run("down")
