"""README's "A first call" and "Money between two calls", typed word for word into an empty home, with a real call."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ari_app.lab.sipp import Agent, Caller, accepts, hang_up, press, rings_forever, talk_ms, wait_ms
from tests import readme
from tests.live.lab import REPO, private
from tests.live.process import CALLRACE

DEPOSITED = "callrace ledger deposit"  # behind this a call is to be made
DID = "+18005550101"
TRIES = 30  # each is a process of its own
THINKS = wait_ms(700)
PLAN = [THINKS, press("1"), THINKS, press("10001"), talk_ms(9_000), hang_up]
PHONES = {  # those that README names, at its ports
    5071: rings_forever(),
    5072: accepts(after_ms=500, ring_ms=300),
    5073: rings_forever(),
    5074: rings_forever(),
}

Shell = Callable[[str], str]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[tuple[Shell, str]]:
    """A shell in an empty home, and where its lab will listen for SIP. Only the ports are not README's."""
    lab = private(tmp_path / "home")
    environment = lab.environment | {"PYTHONPATH": str(REPO)}
    (tmp_path / "config").symlink_to(REPO / "config")

    def run(script: str) -> str:
        callrace = f'callrace() {{ {shlex.join(CALLRACE)} "$@"; }}\n'
        done = subprocess.run(
            ("bash", "-euc", callrace + script), cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{script}:\n{done.stdout}{done.stderr}"
        return done.stdout

    yield run, lab.sip
    subprocess.run((*CALLRACE, "lab", "down"), cwd=REPO, env=os.environ | environment, check=True)


async def call(sip: str) -> None:
    """A call that is taken by the agent who presses 1 first, and lasts long enough."""
    async with AsyncExitStack() as parties:
        for port, behaviour in PHONES.items():
            await parties.enter_async_context(Agent(f"agent-{port - 5070}", behaviour, port))
        await (await parties.enter_async_context(Caller(DID, "+12125550142", PLAN, to=sip))).outcomes()


@pytest.mark.timeout(300)
async def test_a_first_call_is_made_explained_disputed_billed_and_paid_as_the_readme_has_it(
    shell: tuple[Shell, str], tmp_path: Path
) -> None:
    run, sip = shell
    said: dict[str, str] = {}

    async def type_in(line: str) -> None:
        said[line] = await asyncio.to_thread(run, line)

    call_id = ""
    for line in readme.commands("A first call").splitlines():
        await type_in(line.replace(" ID ", f" {call_id} "))
        if line.startswith(DEPOSITED):
            await call(sip)
            call_id = await asyncio.to_thread(saved, run)
    for line in readme.commands("Money between two calls").splitlines():
        await type_in(line.replace(" CALL ", f" {call_id} "))

    def of(beginning: str) -> str:
        (told,) = [told for line, told in said.items() if line.startswith(beginning)]
        return told

    assert "agent-2" in of("callrace calls explain")
    assert "paid" in of("callrace calls explain")
    assert "42.00" in of("callrace invoices issue")
    assert (tmp_path / "invoice.pdf").read_bytes().startswith(b"%PDF")
    with (tmp_path / "payouts.csv").open() as file:
        assert [(row["publisher"], row["amount"]) for row in csv.DictReader(file)] == [("homefix", "30.00")]
    assert of("callrace ledger verify").startswith("ok")


def saved(run: Shell) -> str:
    """The id of the one call, once it is saved."""
    for _ in range(TRIES):
        if listed := json.loads(run("callrace calls list --json")):
            return listed[0]["id"]
    pytest.fail("the call is not saved")
