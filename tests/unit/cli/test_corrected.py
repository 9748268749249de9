"""What is corrected after a call's verdict is in reports and lists at its own moment, in columns that say so."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ari_app.domain.reports.rollups import HOUR_MS, MONEY_SUMS
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls
from ari_app.store.money import conversions, disputes
from ari_app.store.money.corrections import adjust
from tests.samples import make_call, settlement, waiting
from tests.unit.cli.conftest import MARKETPLACE, Cli
from tests.unit.cli.test_reports import PERIOD, listed, report

CALL, OTHER, WAITS = make_call(1), make_call(2), waiting(3)
ENDED = CALL.ended_at or 0
DAY_MS = 24 * HOUR_MS
NEXT_DAY, DAY_AFTER = ENDED + DAY_MS, ENDED + 2 * DAY_MS


@pytest.fixture(autouse=True)
def _corrected(applied: Engine) -> None:
    """On the first day two calls earn, on the second one of them is taken back in part, on the third one is sold."""
    calls.save(applied, [settlement(record) for record in (CALL, OTHER, WAITS)])
    adjust(applied, CALL.id, "case-1", 1000, 700, NEXT_DAY, "bad line")
    conversions.tell(applied, [Told(WAITS.id, DAY_AFTER, None)], DAY_AFTER)


def money(line: dict[str, Any]) -> tuple[str, ...]:
    [found] = line["money"]
    return tuple(found[name] for name in (*MONEY_SUMS, "profit"))


def test_each_movement_is_on_its_own_day(cli: Cli) -> None:
    first, second, third = report(cli, "by", "day")["lines"]
    assert money(first) == ("84.00", "60.00", "0.00", "0.00", "0.00", "0.00", "24.00")
    assert money(second) == ("-10.00", "-7.00", "-10.00", "-7.00", "0.00", "0.00", "-3.00")
    assert money(third) == ("42.00", "30.00", "0.00", "0.00", "42.00", "30.00", "12.00")
    assert [line["incoming"] for line in (first, second, third)] == [3, 0, 0]
    assert [line["qualified"] for line in (first, second, third)] == [3, 0, 0]


def test_a_day_that_only_took_back_has_no_margin(cli: Cli) -> None:
    assert [line["money"][0]["margin"] for line in report(cli, "by", "day")["lines"]] == [
        0.2857,
        None,
        0.2857,
    ]


@pytest.mark.parametrize("by", ["campaign", "advertiser", "publisher", "source", "state"])
def test_every_party_has_the_corrections_of_its_calls(cli: Cli, by: str) -> None:
    found = report(cli, "by", by)
    assert money(found["total"]) == ("116.00", "83.00", "-10.00", "-7.00", "42.00", "30.00", "33.00")
    assert [money(line) for line in found["lines"]] == [money(found["total"])]


def test_each_sum_is_followed_to_its_calls(cli: Cli) -> None:
    """The calls of a line that moved in its time add up to it: all that each moved, or what corrected it."""
    first, second, third = report(cli, "by", "day")["lines"]
    whose = {
        (day, name): {call["id"] for call in listed(cli, line["calls"], "--counted-as", name)}
        for day, line in enumerate((first, second, third))
        for name in MONEY_SUMS
    }
    for side in ("revenue", "payout"):
        assert whose[0, side] == {CALL.id, OTHER.id}
        assert whose[1, side] == whose[1, f"corrected_{side}"] == {CALL.id}
        assert whose[2, side] == whose[2, f"later_{side}"] == {WAITS.id}
        assert whose[0, f"corrected_{side}"] == whose[0, f"later_{side}"] == set()
    [corrected] = listed(cli, second["calls"], "--counted-as", "corrected_revenue")
    assert [fix["amount"] for fix in corrected["adjustments"]] == ["10.00", "7.00"]


def test_people_see_the_columns_of_corrections_where_there_are_any(cli: Cli) -> None:
    assert "corrected revenue" in cli("reports", "by", "publisher", *PERIOD).output
    one_day = ("--since", "2025-11-23", "--until", "2025-11-24", "--tz", "America/New_York")
    assert "corrected revenue" not in cli("reports", "by", "publisher", *one_day).output


def test_csv_and_picture_have_them_too(cli: Cli, tmp_path: Path) -> None:
    sheet, picture = tmp_path / "days.csv", tmp_path / "days.png"
    assert cli("reports", "by", "day", *PERIOD, "--csv", str(sheet)).exit_code == 0
    rows = list(csv.DictReader(sheet.open()))
    assert [row["corrected_revenue_USD"] for row in rows] == ["0.00", "-10.00", "0.00"]
    assert cli("reports", "by", "day", *PERIOD, "--png", str(picture)).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")


def test_a_report_equals_the_statement_of_the_same_days(cli: Cli) -> None:
    statement = json.loads(cli("ledger", "statement", "publisher:homefix", "--json").output)
    [line] = report(cli, "by", "publisher")["lines"]
    assert sum(Decimal(one["effect"]) for one in statement) == Decimal(line["money"][0]["payout"])


def test_a_report_equals_the_bills_of_the_same_month(cli: Cli) -> None:
    month = ("--since", "2025-11-01", "--until", "2025-12-01", "--json")
    bills = {
        "revenue": ("America/New_York", ("invoices", "issue", "--advertiser", "acme")),
        "payout": ("UTC", ("payouts", "statement", "--publisher", "homefix")),
    }
    for side, (zone, words) in bills.items():
        bill = json.loads(cli(*words, "--period", "2025-11", "--json").stdout)
        told = json.loads(cli("reports", "by", "day", *month, "--tz", zone).stdout)
        assert bill["total"] == told["total"]["money"][0][side]


# Lists


def test_calls_are_listed_net_with_what_was_corrected(cli: Cli) -> None:
    by_id = {call["id"]: call for call in listed(cli, "callrace calls list")}
    said = by_id[CALL.id]["money"]
    assert (said["charged"], said["paid"]) == ("42.00", "30.00")  # what the verdict said
    assert (said["net_charged"], said["net_paid"]) == ("32.00", "23.00")
    [row] = [line for line in cli("calls", "list").output.splitlines() if line.startswith(CALL.id)]
    assert row.split("  ")[-1].strip() == "charged -10.00, paid -7.00"
    assert "32.00" in row


def test_only_corrected_calls_are_listed(cli: Cli, applied: Engine) -> None:
    assert [call["id"] for call in listed(cli, "callrace calls list --corrected")] == [CALL.id]
    opened = disputes.open_(applied, OTHER.id, None, DAY_MS, ENDED + 1, "acme", "a robot")
    disputes.accept(applied, opened.id, None, None, DAY_AFTER, "ops", "")
    assert {c["id"] for c in listed(cli, "callrace calls list --corrected")} == {CALL.id, OTHER.id}


def test_conversions_are_listed_net(cli: Cli, applied: Engine) -> None:
    adjust(applied, WAITS.id, "case-2", 4200, 3000, DAY_AFTER, "was returned")
    [sale] = json.loads(cli("conversions", "list", "--json").output)
    assert (sale["charged"], sale["net_charged"], sale["net_paid"]) == ("42.00", "0.00", "0.00")
    assert "charged -42.00, paid -30.00" in cli("conversions", "list").output


def test_a_replay_is_net_on_both_sides(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(MARKETPLACE.replace('price: "42.00"', 'price: "84.00"'))
    words = ("qualify", "replay", "--since", "2025-01-01", "--terms", str(file))
    told = json.loads(cli(*words, "--json").stdout)
    [campaign] = told["campaigns"]
    assert campaign["before"] | {"qualified": 0} == {
        "qualified": 0,
        "charged": "116.00",
        "paid": "83.00",
        "corrected_charged": "-10.00",
        "corrected_paid": "-7.00",
    }
    assert (campaign["after"]["charged"], campaign["after"]["corrected_charged"]) == ("232.00", "-20.00")
    assert "charged -10.00, paid -7.00" in cli(*words).stdout
