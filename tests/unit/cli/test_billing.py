"""Adjustments, disputes, invoices, statements and payout runs, as an operator meets them."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.cli.common import now_ms
from ari_app.domain.calls.record import ClauseResult, Money, Verdict
from ari_app.domain.document.reading import parse
from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from tests.samples import make_call, settlement, unqualified
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal

NOW = now_ms()
CALL = make_call(1, ended_at=NOW)
TODAY = "2999-12-31"  # a last day that is not over
MONTH_OLD = "2025-11"


@pytest.fixture(autouse=True)
def _saved(applied: Engine) -> None:
    calls.save(applied, [settlement(CALL), settlement(unqualified(2))])


def adjusted(cli: Cli, *words: str, key: str = "k") -> str:
    result = cli("ledger", "adjust", CALL.id, "--reason", "bad line", "--key", key, *words)
    assert result.exit_code == 0, result.output
    return result.output


# adjustments


def test_an_adjustment_says_what_the_call_comes_to(cli: Cli) -> None:
    said = f"adjusted call {CALL.id} now comes to charged 32.00, paid 23.00 USD (key k)\n"
    assert adjusted(cli, "--price", "-10.00", "--payout", "-7.00") == said
    assert "was adjusted before" in adjusted(cli, "--price", "-10.00", "--payout", "-7.00")
    assert cli("ledger", "verify").output.startswith("ok: ")


def test_a_corrected_call_is_shown_with_both_its_record_and_what_it_comes_to(cli: Cli) -> None:
    adjusted(cli, "--price", "-10.00")
    assert "Corrected since" in cli("calls", "show", CALL.id).output
    shown = json.loads(cli("calls", "show", CALL.id, "--json").output)
    assert (shown["money"]["charged"], shown["money"]["net_charged"]) == ("42.00", "32.00")
    assert [fix["reason"] for fix in shown["adjustments"]] == ["bad line"]


def test_a_corrected_call_is_explained(cli: Cli) -> None:
    adjusted(cli, "--price", "-10.00", "--payout", "-7.00")
    told = cli("calls", "explain", CALL.id).output
    assert "- Later, 10.00 USD went back to acme: bad line." in told
    assert "- Later, 7.00 USD was taken back from homefix: bad line." in told
    assert "In the end acme is charged 32.00 USD, and homefix is paid 23.00 USD." in told


@pytest.mark.parametrize(
    "words",
    [(), ("--price", "10.00"), ("--price", "-0.00"), ("--price", "-1.005"), ("--payout", "--7")],
)
def test_an_adjustment_of_no_amount_is_wrong_usage(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli("ledger", "adjust", CALL.id, "--reason", "r", "--key", "k", *words).exit_code == 2


def test_an_adjustment_of_too_much_is_refused(cli: Cli) -> None:
    words = ("ledger", "adjust", CALL.id, "--price", "-42.01", "--reason", "r", "--key", "k")
    assert refusal(cli(*words)) == (
        "callrace: 42.01 is more than the 42.00 USD left of what the advertiser was charged"
    )


def test_what_moves_money_tells_it_as_json_too(cli: Cli) -> None:
    told = json.loads(adjusted(cli, "--price", "-10.00", "--json"))
    assert (told["is_new"], told["comes_to"]["charged"]) == (True, "32.00")
    opened = json.loads(cli("disputes", "open", CALL.id, "--reason", "a robot", "--json").output)
    assert (opened["id"], opened["state"], opened["claimed"]) == (1, "open", "32.00")
    accepted = json.loads(cli("disputes", "accept", "1", "--amount", "2.00", "--json").output)
    assert (accepted["state"], accepted["credited"]) == ("accepted", "2.00")


# disputes


def test_a_dispute_is_opened_shown_and_accepted_in_part(cli: Cli) -> None:
    opened = cli("disputes", "open", CALL.id, "--reason", "a robot", "--amount", "20.00").output
    assert opened == f"dispute 1 is open: 20.00 USD of call {CALL.id}\n"
    assert "until it is, the call is not paid out" in cli("calls", "explain", CALL.id).output
    assert "a robot" in cli("disputes", "list", "--state", "open").output
    assert cli("disputes", "accept", "1", "--amount", "10.00").output == (
        "dispute 1 is accepted: 10.00 USD back to acme, 7.14 USD from homefix\n"
    )
    shown = json.loads(cli("disputes", "show", "1", "--json").output)
    assert (shown["state"], shown["claimed"], shown["credited"]) == ("accepted", "20.00", "10.00")
    assert "accepted" in cli("disputes", "show", "1").output
    assert "It was accepted in part by" in cli("calls", "explain", CALL.id).output


def test_a_rejected_dispute_cannot_be_accepted(cli: Cli) -> None:
    cli("disputes", "open", CALL.id, "--reason", "a robot")
    assert cli("disputes", "reject", "1", "--reason", "a person").output == "dispute 1 is rejected\n"
    assert "it is rejected already" in refusal(cli("disputes", "accept", "1"))
    assert "It was rejected by" in cli("calls", "explain", CALL.id).output


def test_a_call_outside_the_dispute_window_cannot_be_disputed(cli: Cli, applied: Engine) -> None:
    old = make_call(3, ended_at=NOW - 8 * 86_400_000)
    calls.save(applied, [settlement(old)])
    said = refusal(cli("disputes", "open", old.id, "--reason", "a robot"))
    assert "the call was charged more than 7 days ago" in said


def test_an_advertiser_may_have_a_longer_dispute_window(cli: Cli, applied: Engine) -> None:
    longer = MARKETPLACE.replace("name: Acme Plumbing,", "name: Acme Plumbing, dispute_window: 14d,")
    marketplaces.apply(applied, parse(longer, "test.yaml"), now=NOW)
    old = make_call(3, ended_at=NOW - 8 * 86_400_000)
    calls.save(applied, [settlement(old)])
    assert cli("disputes", "open", old.id, "--reason", "a robot").exit_code == 0


def test_a_dispute_about_nothing_is_refused(cli: Cli) -> None:
    words = ("--reason", "a robot")
    assert "there is no call ffff" in refusal(cli("disputes", "open", "ffff", *words))
    assert "was charged nothing" in refusal(cli("disputes", "open", unqualified(2).id, *words))
    assert cli("disputes", "open", CALL.id, "--reason", " ").exit_code == 2
    assert cli("disputes", "open", CALL.id, *words, "--amount", "0").exit_code == 2
    assert "there is no dispute 1" in refusal(cli("disputes", "show", "1"))
    assert cli("disputes", "list").output == "no disputes\n"


def test_a_repeat_of_a_call_that_was_taken_back_is_explained(cli: Cli, applied: Engine) -> None:
    ani = CALL.ani
    clause = ClauseResult("no_repeat_within", False, f"{ani} was last connected just before (call {CALL.id})")
    repeat = make_call(
        60, ani=ani, terms_version=2, qualification=Verdict(False, [clause]), money=Money("USD", 4200, 3000)
    )
    terms = MARKETPLACE.replace("connected_at_least: 90s", "no_repeat_within: 30d")
    marketplaces.apply(applied, parse(terms, "test.yaml"), now=NOW)
    calls.save(applied, [settlement(repeat)])
    cli("disputes", "open", CALL.id, "--reason", "a robot")
    cli("disputes", "accept", "1")
    told = cli("calls", "explain", repeat.id).output
    assert f"- Later, 42.00 USD was charged to acme: call {CALL.id} was taken back, so this call" in told
    assert "- Later, 30.00 USD was paid to homefix: call" in told
    assert "In the end acme is charged 42.00 USD, and homefix is paid 30.00 USD." in told


# invoices and statements


def issue(cli: Cli, *words: str) -> str:
    result = cli("invoices", "issue", "--advertiser", "acme", "--period", MONTH_OLD, *words)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def old(applied: Engine) -> None:
    """Two calls of a month that is over."""
    month_old = [make_call(n, campaign=campaign) for n, campaign in ((11, "plumbing"), (12, "=roofing"))]
    calls.save(applied, [settlement(call) for call in month_old])


def test_an_invoice_is_issued_once_listed_and_shown(cli: Cli, old: None) -> None:
    text = issue(cli)
    assert "Invoice 1" in text
    assert "total" in text
    assert "84.00" in text
    assert issue(cli) == text == cli("invoices", "show", "1").output
    assert json.loads(cli("invoices", "list", "--json").output) == [
        json.loads(cli("invoices", "show", "1", "--json").output)
    ]
    assert len(cli("invoices", "list").output.splitlines()) == 2


def test_an_invoices_csv_does_not_run_in_a_spreadsheet(cli: Cli, old: None) -> None:
    rows = list(csv.DictReader(StringIO(issue(cli, "--csv", "-"))))
    assert [(row["what"], row["campaign"], row["amount"]) for row in rows] == [
        ("opening balance", "", "0.00"),
        ("calls", "'=roofing", "42.00"),
        ("calls", "plumbing", "42.00"),
        ("total", "", "84.00"),
        ("paid in", "", "0.00"),
        ("closing balance", "", "-84.00"),
    ]


def test_an_invoices_pdf_is_the_same_file_every_time(cli: Cli, old: None, tmp_path: Path) -> None:
    issue(cli, "--pdf", f"{tmp_path}/one.pdf")
    cli("invoices", "show", "1", "--pdf", f"{tmp_path}/two.pdf")
    pdf = (tmp_path / "one.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert (tmp_path / "two.pdf").read_bytes() == pdf


def test_an_invoice_is_followed_to_its_calls(cli: Cli, old: None) -> None:
    issue(cli)
    items = json.loads(cli("invoices", "show", "1", "--items", "--json").output)
    assert [(item["call"], item["amount"]) for item in items] == [
        (make_call(11).id, "-42.00"),
        (make_call(12).id, "-42.00"),
    ]
    assert make_call(11).id in cli("invoices", "show", "1", "--items").output
    assert len(cli("invoices", "show", "1", "--items", "--csv", "-").output.splitlines()) == 3
    assert cli("invoices", "show", "1", "--items", "--pdf", "-").exit_code == 2


def test_invoices_that_cannot_be_are_refused(cli: Cli, old: None) -> None:
    words = ("invoices", "issue", "--advertiser")
    assert "there is no advertiser nobody; there are: acme" in refusal(
        cli(*words, "nobody", "--period", MONTH_OLD)
    )
    assert "nothing moved for acme in 2020-01" in refusal(cli(*words, "acme", "--period", "2020-01"))
    assert "9998-01 has not begun in America/New_York" in refusal(cli(*words, "acme", "--period", "9998-01"))
    assert cli(*words, "acme", "--period", "2025-13").exit_code == 2
    assert "there is no invoice 1" in refusal(cli("invoices", "show", "1"))
    assert cli("invoices", "show", "99999999999999999999").exit_code == 2
    assert cli("invoices", "list").output == "no invoices\n"


def test_a_statement_says_what_a_publisher_earned(cli: Cli, old: None) -> None:
    words = ("payouts", "statement", "--publisher", "homefix", "--period", MONTH_OLD)
    stated = json.loads(cli(*words, "--json").stdout)
    assert (stated["number"], stated["total"], stated["closing"]) == (1, "60.00", "60.00")
    assert "paid out" in cli(*words).stdout


# payout runs


def test_a_payout_run_pays_once_and_writes_the_same_file(cli: Cli, old: None, tmp_path: Path) -> None:
    words = ("payouts", "run", "--until", TODAY, "--key", "november", "--csv")
    assert cli(*words, f"{tmp_path}/one.csv").exit_code == 0
    again = cli(*words, f"{tmp_path}/two.csv")
    assert again.stderr == "payout run november was done before: nothing moved now\n"
    written = (tmp_path / "one.csv").read_text()
    assert written == "publisher,amount,currency,calls,key\nhomefix,60.00,USD,2,payout:november:homefix\n"
    assert (tmp_path / "two.csv").read_text() == written
    assert cli("payouts", "show", "november", "--csv", "-").output == written
    assert "60.00" in cli("payouts", "list").output
    assert json.loads(cli("payouts", "list", "--json").output)[0]["payouts"][0]["amount"] == "60.00"
    assert cli("ledger", "verify").output.startswith("ok: ")


def test_a_payout_run_is_followed_to_its_calls(cli: Cli, old: None) -> None:
    cli("payouts", "run", "--until", TODAY, "--key", "november")
    items = json.loads(cli("payouts", "show", "november", "--items", "--json").output)
    assert [(item["call"], item["amount"]) for item in items] == [
        (make_call(11).id, "30.00"),
        (make_call(12).id, "30.00"),
    ]


def test_a_call_in_the_hold_or_below_the_minimum_is_not_paid_out(cli: Cli, old: None) -> None:
    words = ("payouts", "run", "--until", TODAY, "--key")
    assert "nothing was paid" in cli(*words, "a", "--minimum", "60.01").output
    assert "90.00" in cli(*words, "b", "--minimum", "60.01", "--hold-days", "0").output


def test_payout_runs_that_cannot_be_are_refused(cli: Cli) -> None:
    assert cli("payouts", "run", "--until", "soon", "--key", "k").exit_code == 2
    assert cli("payouts", "run", "--until", TODAY, "--key", "a/b").exit_code == 2
    assert cli("payouts", "run", "--until", TODAY, "--key", "k", "--minimum", "-1").exit_code == 2
    assert "there is no payout run k" in refusal(cli("payouts", "show", "k"))
    assert cli("payouts", "list").output == "no payout runs\n"
