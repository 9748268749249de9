"""Numbers from a CSV file to a publisher and back, by commands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.domain.document.reading import parse
from ari_app.store.market import marketplaces
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal

CSV = "did,kind,region,trunk\n+12125550100,local,NY,main\n+12125550101,local,NY,main\n+18885550100,tollfree,,main\n"
NY, TOLLFREE = "+12125550100", "+18885550100"
ASSIGN = ("numbers", "assign", "--campaign", "plumbing", "--publisher", "homefix")
SUBMIT = ("applications", "submit", "--campaign", "plumbing", "--publisher", "homefix")


@pytest.fixture
def stocked(cli: Cli, applied: Engine) -> None:
    """The marketplace in force, and three numbers in stock."""
    assert cli("numbers", "import", "-", input=CSV).output == "added 3, changed 0, as they were 0\n"


# numbers


def test_importing_the_same_again_changes_nothing(cli: Cli, stocked: None) -> None:
    result = cli("numbers", "import", "-", "--json", input=CSV)
    assert json.loads(result.output) == {"added": 0, "changed": 0, "same": 3}


def test_a_file_with_a_mistake_is_refused_whole(cli: Cli, applied: Engine, tmp_path: Path) -> None:
    file = tmp_path / "numbers.csv"
    file.write_text(CSV.replace("tollfree,,", "tollfree,NY,"))
    assert refusal(cli("numbers", "import", str(file))) == (
        f"callrace: {file}:4: region: expected a state for a local number, and none for a tollfree one"
    )
    assert cli("numbers", "list", "--status", "free").output == "no numbers\n"
    file.write_bytes(b"\xff")
    assert "not UTF-8 text" in refusal(cli("numbers", "import", str(file)))


def test_a_number_is_assigned_released_and_rests(cli: Cli, stocked: None) -> None:
    assert cli(*ASSIGN, "--state", "NY", "--source", "radio").output == f"{NY} is homefix's for plumbing\n"
    assert NY in cli("export").output
    assert cli("numbers", "release", NY).output.startswith(
        f"{NY} is no longer homefix's for plumbing; it rests"
    )
    resting = json.loads(cli("numbers", "list", "--status", "quarantined", "--json").output)
    assert [(row["did"], row["status"]) for row in resting] == [(NY, "quarantined")]
    assert "is in quarantine" in refusal(cli(*ASSIGN, "--did", NY))
    history = json.loads(cli("numbers", "history", NY, "--json").output)
    assert [(entry["source"], entry["origin"], entry["to"] is None) for entry in history] == [
        ("radio", "desk", False)
    ]


def test_numbers_are_listed_by_state_kind_and_status(cli: Cli, stocked: None) -> None:
    cli(*ASSIGN, "--kind", "tollfree")
    found = json.loads(cli("numbers", "list", "--kind", "tollfree", "--json").output)
    assert [row["did"] for row in found] == [TOLLFREE]
    assert len(cli("numbers", "list", "--status", "free", "--state", "NY").output.splitlines()) == 3
    assert len(cli("numbers", "list", "--status", "any").output.splitlines()) == 6


def test_the_stock_is_counted_and_warns_when_it_is_low(cli: Cli, stocked: None) -> None:
    cli(*ASSIGN, "--state", "NY")
    result = cli("numbers", "stock")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        ["local", "NY", "1", "1", "0"], ["tollfree", "1", "0", "0"]
    ]  # fmt: skip
    assert result.stderr.splitlines()[0] == "low stock: local NY, 1 free, fewer than 5"
    assert json.loads(cli("numbers", "stock", "--json").output)[0]["low"] is True


def test_an_empty_stock_names_the_way_to_one(cli: Cli, applied: Engine) -> None:
    assert "see `callrace numbers import --help`" in cli("numbers", "stock").output


def test_a_short_stock_and_foreign_names_are_refused(cli: Cli, stocked: None) -> None:
    assert "the stock is short: 1 wanted, 0 free in NJ" in refusal(cli(*ASSIGN, "--state", "NJ"))
    other = ("numbers", "assign", "--campaign", "roofing", "--publisher", "homefix")
    assert "there is no campaign roofing" in refusal(cli(*other))
    assert "is in the marketplace's file" in refusal(cli("numbers", "release", "+18005550101"))


@pytest.mark.parametrize(
    "words",
    [
        (*ASSIGN, "--state", "XX"),
        (*ASSIGN, "--state", "NY", "--kind", "tollfree"),
        (*ASSIGN, "--state", "NY", "--did", NY),
        (*ASSIGN, "--source", "a\x1b[2J"),
        ("numbers", "assign", "--campaign", "No Such", "--publisher", "homefix"),
        ("numbers", "release", "5550100"),
        ("numbers", "list", "--history", NY, "--kind", "local"),
    ],
)
def test_wrong_usage_is_told(cli: Cli, stocked: None, words: tuple[str, ...]) -> None:
    assert cli(*words).exit_code == 2


# applications


def test_an_application_is_approved_with_numbers_suspended_and_reinstated(cli: Cli, stocked: None) -> None:
    assert cli(*SUBMIT, "--note", "radio").output == "application 1 (homefix for plumbing) is pending\n"
    approved = cli("applications", "approve", "1", "--numbers", "2", "--state", "NY", "--json")
    assert json.loads(approved.output)["numbers"] == [NY, "+12125550101"]
    assert "is suspended" in cli("applications", "suspend", "1", "--reason", "bought traffic").output
    trial = json.loads(cli("route", "explain", "--did", NY, "--ani", "+12125550001", "--json").output)
    assert trial["refused"] == {
        "disposition": "closed",
        "reason": "the publisher is suspended: bought traffic",
    }
    assert "is approved" in cli("applications", "reinstate", "1").output
    events = [step["event"] for step in json.loads(cli("applications", "show", "1", "--json").output)]
    assert events == ["submit", "approve", "suspend", "reinstate"]


def test_applications_are_listed_with_the_reason_of_what_they_are(cli: Cli, stocked: None) -> None:
    assert cli("applications", "list").output == "no applications\n"
    cli(*SUBMIT)
    cli("applications", "decline", "1", "--reason", "no licence")
    found = json.loads(cli("applications", "list", "--state", "declined", "--json").output)
    assert [(one["id"], one["note"]) for one in found] == [(1, "no licence")]
    assert cli("applications", "list", "--state", "pending").output == "no applications\n"
    assert "no licence" in cli("applications", "list").output


def test_what_an_application_cannot_become_is_refused(cli: Cli, stocked: None) -> None:
    cli(*SUBMIT)
    assert "is pending; it can only approve or decline" in refusal(cli("applications", "reinstate", "1"))
    assert "there is no application 7" in refusal(cli("applications", "approve", "7"))
    assert "there is no application 7" in refusal(cli("applications", "show", "7"))
    assert "the stock is short" in refusal(cli("applications", "approve", "1", "--state", "NJ"))


def test_a_campaign_that_approves_by_itself_gives_a_number_or_lets_it_wait(cli: Cli, engine: Engine) -> None:
    text = MARKETPLACE.replace(
        "    flow: intake\n", "    flow: intake\n    applications: {auto_approve: true}\n"
    )
    marketplaces.apply(engine, parse(text, "test.yaml"), now=1_763_900_000_000)
    waiting = cli(*SUBMIT)
    assert waiting.stdout.endswith("is pending\n")
    assert "the stock is short" in waiting.stderr
    cli("applications", "decline", "1", "--reason", "later")
    cli("numbers", "import", "-", input=CSV)
    assert cli(*SUBMIT).stdout == f"application 1 (homefix for plumbing) is approved, with {NY}\n"


def test_the_state_of_an_area_code_is_as_the_marketplace_itself_says(cli: Cli, engine: Engine) -> None:
    new = "did,trunk\n+16215550100,main\n"
    assert "region" in refusal(cli("numbers", "import", "-", input=new))
    own = MARKETPLACE + 'geography: {area_codes: {"621": TX}}\n'
    marketplaces.apply(engine, parse(own, "test.yaml"), 1)
    assert cli("numbers", "import", "-", input=new).output == "added 1, changed 0, as they were 0\n"
    [row] = json.loads(cli("numbers", "list", "--status", "free", "--json").output)
    assert (row["did"], row["region"]) == ("+16215550100", "TX")
