"""`callrace doctor` on an exchange of which one part is broken: it names that part, and what to do."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.exchange import marketplace
from tests.live.lab import REPO, Lab
from tests.live.process import CALLRACE, SwitchProcess, switch_process

pytestmark = pytest.mark.live

RECORDED = {"recording": {"consent": {"prompt": "tts:This call is recorded.", "everywhere": True}}}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A switch and an AGI server on the tests' Asterisk, with all that calls need."""

    lab: Lab
    switch: SwitchProcess
    agi: Process

    async def wrong(self, **environment: str) -> dict[str, str]:
        """What `callrace doctor` finds wrong: the checks, and the remedy of each."""
        ended = await asyncio.to_thread(
            subprocess.run,
            (*CALLRACE, "doctor", "--json"),
            cwd=REPO,
            env=self.switch.environment | environment,
            capture_output=True,
            text=True,
        )
        findings: list[dict[str, Any]] = json.loads(ended.stdout)
        found = {finding["name"]: finding["remedy"] for finding in findings if not finding["ok"]}
        assert bool(found) == bool(ended.returncode)
        return found


@pytest.fixture
async def whole(lab: Lab, tmp_path: Path) -> AsyncIterator[Exchange]:
    """An exchange in order."""
    async with switch_process(lab, tmp_path) as switch:
        switch.apply(marketplace({"one": "sip:one@127.0.0.1:5071"}, campaign=RECORDED))
        agi = await asyncio.create_subprocess_exec(
            *CALLRACE, "agi", "run", cwd=REPO, env=switch.environment, stderr=DEVNULL
        )
        try:
            await switch.start()
            made = Exchange(lab, switch, agi)
            await made_whole(made)
            yield made
        finally:
            if agi.returncode is None:
                agi.kill()
            await agi.wait()


async def made_whole(exchange: Exchange, timeout_s: float = 20.0) -> None:
    """Waits until nothing is wrong any more."""
    async with asyncio.timeout(timeout_s):
        while found := await exchange.wrong():
            assert found.keys() <= {"agi", "supervision", "switch"}, found
            await asyncio.sleep(0.2)


@contextmanager
def moved(path: Path) -> Iterator[None]:
    """For a while a file or a folder is not where it should be."""
    away = path.with_name("away")
    shutil.move(path, away)
    try:
        yield
    finally:
        shutil.move(away, path)


async def test_each_broken_part_is_named_in_the_state_it_is_in(whole: Exchange) -> None:
    """One after the other: each is mended before the next is broken, and then nothing is wrong."""
    home = whole.switch.settings.home
    whole.agi.kill()
    await whole.agi.wait()
    assert (await whole.wrong()).keys() == {"agi"}
    missing = await whole.wrong(CALLRACE_DATABASE_URL=f"sqlite:///{home}/no/such/callrace.db")
    assert missing.keys() == {"agi", "database"}
    with moved(home / "prompts"):
        assert (await whole.wrong()).keys() == {"agi", "prompts"}
    (home / "secrets" / "ari").chmod(0o644)
    assert "chmod 600" in (await whole.wrong())["secret ari"]
    (home / "secrets" / "ari").chmod(0o600)
    whole.switch.kill()
    assert (await whole.wrong()).keys() == {"agi", "switch"}


@pytest.mark.parametrize(
    ("module", "check"), [("app_mixmonitor.so", "recorder"), ("app_stasis.so", "modules")]
)
async def test_a_module_that_is_not_loaded_is_named(whole: Exchange, module: str, check: str) -> None:
    await asyncio.to_thread(whole.lab.run, "rx", f"module unload {module}")
    try:
        assert check in await whole.wrong()
    finally:
        await asyncio.to_thread(whole.lab.run, "rx", f"module load {module}")
    await made_whole(whole)


async def test_an_asterisk_that_died_is_named_with_all_that_hangs_on_it(whole: Exchange) -> None:
    whole.lab.kill()
    try:
        async with asyncio.timeout(10):
            while "switch" not in (found := await whole.wrong()):
                await asyncio.sleep(0.2)
        assert {"asterisk", "trunk carrier", "switch"} <= found.keys()
        assert "callrace lab up" in found["asterisk"]
    finally:
        await asyncio.to_thread(whole.lab.run, "up")
    await made_whole(whole)
