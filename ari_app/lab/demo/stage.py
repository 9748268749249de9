"""Where the demo runs: its own lab in HOME/demo, which is stopped in any case at the end.

The database is new each time, and free ports are used. So another lab that runs on the machine, its calls and its money
are not touched.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ari_app.ari.client import requests_only
from ari_app.lab.demo.errors import CannotPlay, SwitchServes
from ari_app.lab.ports import free_tcp_ports
from ari_app.media.asterisk import ari_settings
from ari_app.serving import running
from ari_app.settings import Settings

LEFT_S = 5.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Stage:
    """The demo's place: `folder` has all its files; `environment` makes every command use it."""

    folder: Path
    environment: dict[str, str]

    @property
    def settings(self) -> Settings:
        """The settings of the demo's switch."""
        return Settings.from_env(self.environment)

    @property
    def sip(self) -> str:
        """The SIP address for callers: host:port."""
        return f"{self.settings.ari_host}:{self.settings.sip_port}"

    async def callrace(self, *words: str) -> None:
        """Runs a `callrace` command on this stage, with its errors on our stderr. Raises CannotPlay if it fails.

        The command is its own process group: Ctrl-C comes to the demo only, which ends the command and its children.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ari_app.cli.main", *words,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()
            raise
        if code:
            raise CannotPlay(f"`callrace {' '.join(words)}` failed; see the lines above")


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """An Asterisk and a switch that serve calls, on a new database. Raises CannotPlay."""
    stage = _new_stage(os.environ)
    stage.folder.mkdir(parents=True, exist_ok=True)
    with _alone(stage.folder):
        if stage.settings.external:
            _refuse_running_switch(stage.settings)
        else:
            await stage.callrace("lab", "down")  # left by a demo that was killed
        _clear(stage.folder)
        try:
            await stage.callrace("lab", "up")
            yield stage
        finally:
            await stage.callrace("lab", "down")


async def present(settings: Settings) -> set[str]:
    """The ids of Asterisk's channels and bridges. Raises AriError."""
    async with requests_only(ari_settings(settings)) as client:
        found = [*await client.channels.list(), *await client.bridges.list()]
    return {str(one["id"]) for one in found}


async def left_behind(settings: Settings, before: set[str]) -> list[str]:
    """What is still in Asterisk (apart from `before`) and in the switch some seconds after the calls.

    Raises AriError and SwitchError.
    """
    until = time.monotonic() + LEFT_S
    while left := [*(await present(settings) - before), *_in_use(settings)]:
        if time.monotonic() > until:
            return [f"left behind {LEFT_S:g} s after the last call: {one}" for one in left]
        await asyncio.sleep(_POLL_S)  # Asterisk has no event for "nothing is left"
    return []


def _in_use(settings: Settings) -> list[str]:
    status = running.ask(settings, "/status")
    calls = [f"{status['calls']} calls in the switch"] if status["calls"] else []
    return calls + [f"capacity of {destination}" for destination in status["capacity_in_use"]]


def _new_stage(env: Mapping[str, str]) -> Stage:
    """A stage with its own HOME and ports. An existing Asterisk (CALLRACE_ASTERISK) is used as it is."""
    outer = Settings.from_env(env)
    folder = outer.home / "demo"
    ours = {"CALLRACE_DATABASE_URL": f"sqlite:///{folder}/callrace.db"}
    if outer.external:
        return Stage(folder, {**env, "CALLRACE_HOME": str(outer.home), **ours})
    sip, ari, ami, agi = free_tcp_ports(4)
    ours |= {
        "CALLRACE_HOME": str(folder),
        "CALLRACE_ASTERISK_ROOT": str(outer.asterisk_root),
        "CALLRACE_SIP_PORT": str(sip),
        "CALLRACE_ARI_PORT": str(ari),
        "CALLRACE_AMI_PORT": str(ami),
        "CALLRACE_AGI_PORT": str(agi),
        "CALLRACE_METRICS_PORT": "0",
    }
    return Stage(folder, {name: env[name] for name in env if not name.startswith("CALLRACE_")} | ours)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Locks the folder against a second demo while the block lasts. Raises CannotPlay."""
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotPlay(f"a demo runs already in {folder}; wait for its end") from None
        yield


def _refuse_running_switch(settings: Settings) -> None:
    """Raises SwitchServes when another switch serves the Asterisk."""
    if pid := running.running_pid(settings):
        raise SwitchServes(f"a switch (pid {pid}) serves the Asterisk that CALLRACE_ASTERISK names")


def _clear(folder: Path) -> None:
    """Removes the calls of an earlier demo; secrets, prompts and tables are kept."""
    for file in ("callrace.db", "callrace.db-wal", "callrace.db-shm", "report.json"):
        (folder / file).unlink(missing_ok=True)
    for kept in ("spool", "journal"):
        shutil.rmtree(folder / kept, ignore_errors=True)
