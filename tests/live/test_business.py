"""A marketplace built by commands alone, as README's "Run a marketplace" has it: from nothing to a paid publisher."""

import asyncio
import csv
import json
import subprocess
from datetime import UTC, datetime

import pytest

from ari_app.ops.sipp import accepts, hang_up, talk_ms
from ari_app.store import calls
from tests.live.exchange import phones
from tests.live.lab import REPO
from tests.live.process import CALLRACE, switch_process

pytestmark = pytest.mark.live

DID = "+12125550101"
LONG, SHORT = [talk_ms(11_000), hang_up], [talk_ms(5_000), hang_up]
STOCK = f"did,kind,region,trunk\n{DID},local,NY,main\n"


@pytest.fixture
async def business(lab, tmp_path, nothing_left):
    """A switch process with an empty database, and `callrace` for the same."""
    async with switch_process(lab, tmp_path) as switch:

        def callrace(*words: str, stdin: str | None = None) -> str:
            done = subprocess.run(
                (*CALLRACE, *words),
                cwd=REPO,
                env=switch.environment,
                input=stdin,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        yield switch, callrace
        await nothing_left()


def build(callrace, uri: str) -> None:
    """From an empty database to a tracking number that can be called."""
    callrace("db", "upgrade")
    callrace("marketplace", "init", "--currency", "USD")
    callrace("advertisers", "add", "acme", "--name", "Acme", "--timezone", "UTC", "--billing", "prepaid")
    callrace("ledger", "deposit", "acme", "500.00", "--key", "wire-1")
    callrace("publishers", "add", "homefix", "--name", "HomeFix", "--timezone", "UTC")
    callrace("destinations", "add", "agent-1", "--advertiser", "acme", "--uri", uri, "--states", "NY,NJ")
    terms = "qualify=[{connected_at_least: 5s}, {no_repeat_within: 30d}]"
    money = ("--price", "42.00", "--payout", "30.00")
    callrace("campaigns", "create", "plumbing", "--advertiser", "acme", *money, "--wave", "agent-1", terms)
    callrace("campaigns", "start", "plumbing")
    callrace("numbers", "import", "-", stdin=STOCK)
    callrace("applications", "submit", "--campaign", "plumbing", "--publisher", "homefix")
    callrace("applications", "approve", "1", "--numbers", "1", "--state", "NY", "--source", "sidebar")


@pytest.mark.timeout(300)  # two dozen commands, each a process, and three calls in turn
async def test_a_campaign_built_by_commands_alone_ends_in_a_payout_file_and_a_matching_invoice(
    business, calling, tmp_path
):
    switch, callrace = business
    async with phones({"agent-1": accepts()}) as agents:
        await asyncio.to_thread(build, callrace, agents["agent-1"].uri)
        await switch.start()
        for ani, plan in (("+12125550142", LONG), ("+12125550143", SHORT), ("+12125550142", LONG)):
            async with calling(DID, ani, plan) as who:
                await who.outcomes()
        async with asyncio.timeout(15):
            while len(calls.latest(switch.engine)) < 3:
                await asyncio.sleep(0.05)  # a database tells nobody that it has changed
    said = await asyncio.to_thread(settle_up, callrace, tmp_path)

    assert [call["qualification"]["qualified"] for call in said["calls"]] == [
        False,
        False,
        True,
    ]  # newest first
    assert (said["report"]["incoming"], said["report"]["connected"], said["report"]["qualified"]) == (3, 3, 1)
    assert said["invoice"]["total"] == "42.00"
    assert [(row["publisher"], row["amount"]) for row in said["payouts"]] == [("homefix", "30.00")]
    assert [call["id"] for call in said["behind the report"]] == [said["calls"][2]["id"]]
    assert said["verify"].startswith("ok")


def settle_up(callrace, folder) -> dict:
    """Bills the advertiser and pays the publisher, and what is said of it."""
    now = datetime.now(UTC)
    bill = ("--advertiser", "acme", "--period", f"{now:%Y-%m}", "--force-open")
    run = ("--until", f"{now:%Y-%m-%d}", "--minimum", "10.00", "--hold-days", "0", "--key", "first")
    callrace("payouts", "run", *run, "--csv", str(folder / "payouts.csv"))
    (line,) = json.loads(callrace("reports", "by", "campaign", "--tz", "UTC", "--json"))["lines"]
    return {
        "calls": json.loads(callrace("calls", "list", "--json")),
        "report": line,
        "behind the report": json.loads(
            callrace(*line["calls"].split()[1:], "--counted-as", "qualified", "--json")
        ),
        "invoice": json.loads(callrace("invoices", "issue", *bill, "--json")),
        "payouts": list(csv.DictReader((folder / "payouts.csv").open())),
        "verify": callrace("ledger", "verify"),
    }
