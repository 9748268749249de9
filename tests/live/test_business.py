"""README's "Run a marketplace", run as it stands there: from an empty database to a paid publisher."""

import asyncio
import csv
import json
import shlex
import subprocess
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ari_app.lab.sipp import accepts, hang_up, talk_ms
from ari_app.store.calls import calls
from tests.live.exchange import phones
from tests.live.lab import REPO
from tests.live.process import CALLRACE, switch_process
from tests.readme import commands

pytestmark = pytest.mark.live

DID = "+12125550101"
LONG, SHORT = [talk_ms(11_000), hang_up], [talk_ms(5_000), hang_up]
ZONE = ZoneInfo("America/New_York")  # README's advertiser's
COUNTED = ("incoming", "answered", "offered", "connected", "qualified", "repeat")


@pytest.fixture
async def business(lab, tmp_path, nothing_left):
    """A switch process with an empty database, and a shell for the same in which `callrace` is this one."""
    async with switch_process(lab, tmp_path) as switch:

        def shell(script: str) -> str:
            callrace = f'callrace() {{ {shlex.join(CALLRACE)} "$@"; }}\n'
            done = subprocess.run(
                ("bash", "-euc", callrace + script),
                cwd=tmp_path,
                env=switch.environment | {"PYTHONPATH": str(REPO)},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield switch, shell
        await nothing_left()


def our_commands(uri: str) -> str:
    """The commands of README's chapter, with our agent, and with calls that are payable sooner."""
    block = commands("Run a marketplace")
    for written, ours in (("sip:agent-1@127.0.0.1:5071", uri), ("90s", "5s")):
        assert block.count(written) == 1
        block = block.replace(written, ours)
    return block


@pytest.mark.timeout(300)  # two dozen commands, each a process, and three calls in turn
async def test_the_marketplace_of_the_readme_ends_in_a_payout_file_and_a_matching_invoice(
    business, calling, tmp_path
):
    switch, shell = business
    async with phones({"agent-1": accepts()}) as agents:
        told = await asyncio.to_thread(shell, our_commands(agents["agent-1"].uri))
        assert "agent-1" in told.splitlines()[-1]  # the route explained last
        assert DID in (tmp_path / "ads" / "ad.json").read_text()
        await switch.start()
        for ani, plan in (("+12125550142", LONG), ("+12125550143", SHORT), ("+12125550142", LONG)):
            async with calling(DID, ani, plan) as who:
                await who.outcomes()
        async with asyncio.timeout(15):
            while len(calls.latest(switch.engine)) < 3:
                await asyncio.sleep(0.05)  # a database tells nobody that it has changed
    said = await asyncio.to_thread(settle_up, shell, tmp_path)

    verdicts = [call["qualification"]["qualified"] for call in said["calls"]]
    assert verdicts == [False, False, True]  # newest first: the same caller again, too short, paid
    assert said["report"]["money"][0]["revenue"] == said["invoice"]["total"] == "42.00"
    assert said["report"]["money"][0]["payout"] == said["payouts"][0]["amount"] == "30.00"
    assert [row["publisher"] for row in said["payouts"]] == ["homefix"]
    assert said["behind"] == {column: said["report"][column] for column in COUNTED}
    assert (said["report"]["incoming"], said["report"]["connected"], said["report"]["qualified"]) == (3, 3, 1)
    assert said["verify"].startswith("ok")


def settle_up(shell, folder) -> dict:
    """Bills the advertiser and pays the publisher; what is said of it, and how many calls are behind each count."""
    month, today = f"{datetime.now(ZONE):%Y-%m}", f"{datetime.now(UTC):%Y-%m-%d}"
    shell(f"callrace payouts run --until {today} --minimum 10.00 --hold-days 0 --key first --csv payouts.csv")
    (line,) = json.loads(shell("callrace reports by campaign --json"))["lines"]
    return {
        "calls": json.loads(shell("callrace calls list --json")),
        "report": line,
        "behind": {
            column: len(json.loads(shell(f"{line['calls']} --counted-as {column} --json")))
            for column in COUNTED
        },
        "invoice": json.loads(
            shell(f"callrace invoices issue --advertiser acme --period {month} --force-open --json")
        ),
        "payouts": list(csv.DictReader((folder / "payouts.csv").open())),
        "verify": shell("callrace ledger verify"),
    }
