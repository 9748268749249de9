"""`callrace reports`: every number is followed to its calls, in text, JSON, CSV and pictures."""

from __future__ import annotations

import csv
import json
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import Engine, delete

from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.record import Disposition
from ari_app.domain.reports.rollups import CALLS_COUNTED_AS, HOUR_MS, OFFERS_COUNTED_AS
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.reports.rollups import TABLES
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import Cli, refusal
from tests.unit.cli.fake_switch import STATUS, Server
from tests.varied import varied_calls

PERIOD = ("--since", "2025-11-23", "--until", "2025-11-28", "--tz", "America/New_York")
CALLS = 80


@pytest.fixture
def saved(applied: Engine) -> Engine:
    """The database with calls of every kind."""
    calls.save(applied, [settlement(record) for record in varied_calls(CALLS)])
    return applied


def report(cli: Cli, *words: str) -> dict[str, Any]:
    result = cli("reports", *words, *PERIOD, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def listed(cli: Cli, command: str, *more: str) -> list[dict[str, Any]]:
    """The calls that a command given by a report lists."""
    program, *words = shlex.split(command)
    assert program == "callrace"
    result = cli(*words, *more, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.output)
    return found


# Every number is followed to its calls


@pytest.mark.parametrize(
    ("by", "only"),
    [("source", ()), ("state", ("--campaign", "plumbing")), ("day", ("--publisher", "homefix"))],
)
def test_each_count_of_a_line_is_the_number_of_calls_its_command_lists(
    cli: Cli, saved: Engine, by: str, only: tuple[str, ...]
) -> None:
    found = report(cli, "by", by, *only)
    assert found["lines"]
    for line in (*found["lines"], found["total"]):
        assert len(listed(cli, line["calls"])) == line["incoming"]
        for column in CALLS_COUNTED_AS:
            assert len(listed(cli, line["calls"], "--counted-as", column)) == line[column], column


@pytest.mark.parametrize("by", ["campaign", "advertiser", "publisher", "hour"])
def test_each_line_is_followed_to_its_calls(cli: Cli, saved: Engine, by: str) -> None:
    found = report(cli, "by", by)
    assert sum(line["incoming"] for line in found["lines"]) == CALLS
    for line in found["lines"]:
        assert len(listed(cli, line["calls"])) == line["incoming"]


def test_each_count_of_offers_is_the_number_of_calls_its_command_lists(cli: Cli, saved: Engine) -> None:
    found = report(cli, "by", "destination", "--campaign", "plumbing")
    assert [line["destination"] for line in found["lines"]]
    for line in found["lines"]:
        for column in OFFERS_COUNTED_AS:
            assert len(listed(cli, line["calls"], "--counted-as", column)) == line[column], column


def test_each_disposition_is_followed_to_its_calls(cli: Cli, saved: Engine) -> None:
    found = report(cli, "by", "disposition")
    assert len(found["lines"]) == len(get_args(Disposition))
    for line in found["lines"]:
        assert {call["disposition"] for call in listed(cli, line["calls"])} == {line["disposition"]}
        assert len(listed(cli, line["calls"])) == line["incoming"]


def test_money_is_the_sum_of_what_the_calls_moved(cli: Cli, saved: Engine) -> None:
    for line in report(cli, "by", "publisher")["lines"]:
        money = [call["money"] for call in listed(cli, line["calls"]) if call["money"]]
        cents = sum(int(m["charged"].replace(".", "")) for m in money)
        assert [m["revenue"].replace(".", "") for m in line["money"]] == (
            [f"{cents:03d}"] if money else ["000"]
        )


def test_each_second_of_the_forensics_is_followed_to_its_calls(cli: Cli, saved: Engine) -> None:
    found = report(cli, "forensics", "--campaign", "plumbing")
    assert found["payable_ms"] == [90_000]
    assert found["total"]["connections"] > 0
    for second in found["seconds"]:
        assert len(listed(cli, second["calls"])) == second["connections"], second
    for line in (found["total"], *found["destinations"], *found["publishers"]):
        assert len(listed(cli, line["calls_before"])) == line["before"]
        assert len(listed(cli, line["calls_after"])) == line["after"]


def test_the_forensics_of_several_campaigns_name_no_calls(cli: Cli, saved: Engine) -> None:
    assert {second["calls"] for second in report(cli, "forensics")["seconds"]} == {None}
    assert "choose one --campaign" in cli("reports", "forensics", *PERIOD).output


# What a report says


def test_a_report_in_a_pipe_is_plain_with_a_total_and_a_command(cli: Cli, saved: Engine) -> None:
    text = cli("reports", "by", "campaign", *PERIOD).output
    assert text.startswith(
        "Calls by campaign, 2025-11-23 00:00 to 2025-11-28 00:00, America/New_York\n\nCalls\n"
    )
    assert "Money in USD" in text
    assert "█" not in text
    [total] = [line for line in text.split("\n\n")[1].splitlines() if line.startswith("total")]
    assert total.split()[1] == str(CALLS)
    assert "\n  callrace calls list --since 2025-11-23T05:00:00.000Z --until 2025-11-28T05:00:00.000Z" in text


def test_days_begin_at_the_readers_midnight(cli: Cli, applied: Engine) -> None:
    before_midnight = datetime.fromisoformat("2025-11-24T23:30-05:00")
    for n, at in enumerate((before_midnight, before_midnight + timedelta(hours=1))):
        began = round(at.timestamp() * 1000)
        record = make_call(n, started_at=began, ended_at=began + 115_000)
        calls.save(applied, [settlement(record)])
    days = report(cli, "by", "day")["lines"]
    assert [(line["day"], line["incoming"]) for line in days] == [("2025-11-24", 1), ("2025-11-25", 1)]


def test_hours_are_named_on_the_readers_clock(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [settlement(make_call())])
    [line] = report(cli, "by", "hour")["lines"]
    assert line["hour"] == "2025-11-23T07:00-05:00"


def test_a_carriers_minutes_are_taken_from_the_profit(cli: Cli, applied: Engine) -> None:
    record = make_call(answered_at=BEGAN, ended_at=BEGAN + 150_000)
    calls.save(applied, [settlement(record)])
    [money] = report(cli, "by", "campaign", "--cost-per-minute", "0.012")["lines"][0]["money"]
    assert (money["cost"], money["profit"], money["margin"]) == ("0.03", "11.97", 0.285)


def test_a_cost_that_is_no_amount_is_wrong_usage(cli: Cli, applied: Engine) -> None:
    assert cli("reports", "by", "campaign", "--cost-per-minute", "cheap").exit_code == 2


def test_live_calls_stand_beside_those_that_ended(cli: Cli, applied: Engine, settings: Settings) -> None:
    calls.save(applied, [settlement(make_call())])
    live = {
        "started_at": iso(BEGAN + HOUR_MS),
        "campaign": "plumbing",
        "advertiser": "acme",
        "publisher": "bluebird",
        "source": None,
        "state": "CA",
        "winner": None,
    }
    with Server(settings, STATUS, [live]):
        publishers = report(cli, "by", "publisher")
        elsewhere = report(cli, "by", "publisher", "--state", "NY")
    counted = [(line["publisher"], line["incoming"], line["live"]) for line in publishers["lines"]]
    assert counted == [("homefix", 1, 0), ("bluebird", 0, 1)]
    assert (publishers["total"]["live"], elsewhere["total"]["live"]) == (1, 0)


def test_without_a_switch_nobody_knows_the_live_calls(cli: Cli, saved: Engine) -> None:
    assert report(cli, "by", "campaign")["total"]["live"] is None


def test_nothing_to_report_says_so(cli: Cli, applied: Engine) -> None:
    assert cli("reports", "by", "campaign", *PERIOD).output.endswith("America/New_York: none\n")
    assert cli("reports", "forensics", *PERIOD).output.startswith("no connections under terms")
    assert report(cli, "by", "campaign")["lines"] == []
    assert report(cli, "forensics")["total"]["connections"] == 0


def test_the_forensics_say_what_share_ends_near_the_payable_second(cli: Cli, applied: Engine) -> None:
    for n, connected_ms in enumerate((88_000, 89_500, 89_999, 91_000)):
        record = make_call(n)
        record.durations_ms.connected = connected_ms
        calls.save(applied, [settlement(record)])
    text = cli("reports", "forensics", *PERIOD, "--campaign", "plumbing").output
    assert (
        "Of 4 connections, 3 (75.0 %) ended in the 5 s before the payable second, "
        "1 (25.0 %) in the 5 s from it." in text
    )
    assert "--talked-from 85s --talked-until 90s" in text


def test_counters_are_rebuilt_from_the_calls(cli: Cli, saved: Engine) -> None:
    before = report(cli, "by", "campaign")
    with writing(saved) as connection:
        for table in TABLES:
            connection.execute(delete(table))
    uncounted = cli("reports", "by", "campaign", *PERIOD)
    assert "are missing here: run `callrace reports rebuild`" in uncounted.stderr
    assert uncounted.stdout.endswith(": none\n")
    assert cli("reports", "rebuild").stdout == f"counted calls: {CALLS}\n"
    assert report(cli, "by", "campaign") == before


# Files


def test_a_csv_has_a_line_each_with_the_command_and_runs_no_formula(
    cli: Cli, applied: Engine, tmp_path: Path
) -> None:
    calls.save(applied, [settlement(make_call(source="=HYPERLINK(1)"))])
    path = tmp_path / "sources.csv"
    assert cli("reports", "by", "source", *PERIOD, "--csv", str(path)).exit_code == 0
    [row] = csv.DictReader(path.open())
    assert (row["source"], row["incoming"], row["revenue_USD"]) == ("'=HYPERLINK(1)", "1", "42.00")
    assert row["calls"].startswith("callrace calls list ")


@pytest.mark.parametrize(
    "words",
    [("by", "campaign"), ("by", "hour"), ("by", "destination"), ("by", "disposition"), ("forensics",)],
)
@pytest.mark.parametrize("count", [0, CALLS])
def test_a_picture_is_drawn(
    cli: Cli, applied: Engine, tmp_path: Path, words: tuple[str, ...], count: int
) -> None:
    calls.save(applied, [settlement(record) for record in varied_calls(count)])
    path = tmp_path / "report.png"
    result = cli("reports", *words, *PERIOD, "--png", str(path))
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(b"\x89PNG\r\n")


def test_a_source_that_looks_like_a_formula_is_drawn_as_text(
    cli: Cli, applied: Engine, tmp_path: Path
) -> None:
    calls.save(applied, [settlement(make_call(source="$\\frac{1}$" + "x" * 150))])
    words = ("by", "source", "--source", "$\\frac{1}$" + "x" * 150)
    result = cli("reports", *words, *PERIOD, "--png", str(tmp_path / "sources.png"))
    assert result.exit_code == 0, result.output


def test_a_file_that_cannot_be_written_is_refused(cli: Cli, saved: Engine) -> None:
    assert cli("reports", "by", "campaign", *PERIOD, "--csv", "/nowhere/report.csv").exit_code == 1


# Wrong usage


@pytest.mark.parametrize(
    "words",
    [
        ("by", "weather"),
        ("by", "destination", "--publisher", "homefix"),
        ("by", "campaign", "--json", "--csv", "-"),
        ("by", "campaign", "--tz", "Mars/Olympus"),
        ("by", "campaign", "--tz", "Asia/Kolkata"),
        ("by", "campaign", "--since", "2026-11-01T10:30Z"),
        ("by", "campaign", "--since", "2026-11-02", "--until", "2026-11-01"),
        ("by", "campaign", "--since", "1900-01-01"),
        ("forensics", "--since", "yesterday"),
    ],
)
def test_what_cannot_be_reported_is_wrong_usage(cli: Cli, applied: Engine, words: tuple[str, ...]) -> None:
    assert cli("reports", *words).exit_code == 2


def test_a_cost_for_several_currencies_is_refused(cli: Cli, applied: Engine) -> None:
    record = make_call(2)
    assert record.money is not None
    record.money.currency = "CAD"
    calls.save(applied, [settlement(make_call(1)), settlement(record)])
    assert "the calls have CAD, USD; give --campaign" in refusal(
        cli("reports", "by", "day", *PERIOD, "--cost-per-minute", "0.01")
    )


# calls list


def test_calls_are_listed_by_when_they_began_and_how_long_they_talked(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [settlement(make_call(n)) for n in range(3)])
    began = iso(make_call(1).started_at)
    assert len(listed(cli, f"callrace calls list --since {began}")) == 2
    assert len(listed(cli, f"callrace calls list --until {began}")) == 1
    assert len(listed(cli, "callrace calls list --talked-from 95s --talked-until 96s")) == 3
    assert len(listed(cli, "callrace calls list --talked-from 96s")) == 0


def test_calls_are_listed_by_their_verdict(cli: Cli, saved: Engine) -> None:
    qualified, others = (
        listed(cli, f"callrace calls list --limit 100 --{w}") for w in ("qualified", "not-qualified")
    )
    assert all(call["qualification"]["qualified"] for call in qualified)
    assert len(qualified) + len(others) == CALLS


def test_a_counter_that_is_none_is_wrong_usage(cli: Cli, saved: Engine) -> None:
    assert cli("calls", "list", "--counted-as", "won").exit_code == 2
    assert cli("calls", "list", "--destination", "agent-1", "--counted-as", "won").exit_code == 0
    assert cli("calls", "list", "--talked-from", "long").exit_code == 2
    assert cli("calls", "list", "--since", "noon").exit_code == 2
