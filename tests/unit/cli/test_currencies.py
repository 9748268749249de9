"""Money of several currencies in the commands: each is deposited, billed, paid out and compared on its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ari_app.domain.calls.record import Money
from ari_app.domain.ledger.transfers import deposit
from ari_app.store.calls import calls
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal

MONTH_OLD = "2025-11"


@pytest.fixture
def sold(applied: Engine) -> None:
    """A call in the marketplace's currency, and one in yen."""
    yen = make_call(2, campaign="roofing", money=Money("JPY", 5000, 3500, charged=5000, paid=3500))
    calls.save(applied, [settlement(make_call(1)), settlement(yen)])


def read(cli: Cli, *words: str) -> Any:
    result = cli(*words, "--json")
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout)


def test_a_deposit_pays_in_the_currency_that_it_names(cli: Cli, applied: Engine) -> None:
    told = read(cli, "ledger", "deposit", "acme", "5000", "--currency", "JPY", "--key", "wire")
    assert (told["amount"], told["currency"]) == ("5000", "JPY")
    [paid_in] = [row for row in read(cli, "ledger", "balances") if row["account"] == "advertiser:acme"]
    assert (paid_in["currency"], paid_in["available"]) == ("JPY", "5000")


@pytest.mark.parametrize(("words", "total"), [((), "42.00"), (("--currency", "JPY"), "5000")])
def test_an_invoice_bills_one_currency(cli: Cli, sold: None, words: tuple[str, ...], total: str) -> None:
    bill = read(cli, "invoices", "issue", "--advertiser", "acme", "--period", MONTH_OLD, *words)
    assert bill["total"] == total


@pytest.mark.parametrize(("words", "total"), [((), "30.00"), (("--currency", "JPY"), "3500")])
def test_a_statement_states_one_currency(cli: Cli, sold: None, words: tuple[str, ...], total: str) -> None:
    bill = read(cli, "payouts", "statement", "--publisher", "homefix", "--period", MONTH_OLD, *words)
    assert bill["total"] == total


def test_a_payout_run_pays_one_currency_and_another_run_the_other(cli: Cli, sold: None) -> None:
    words = ("payouts", "run", "--until", "2026-01-01", "--key")
    [dollars] = read(cli, *words, "usd")["payouts"]
    [yen] = read(cli, *words, "jpy", "--currency", "JPY", "--minimum", "3500")["payouts"]
    assert (dollars["amount"], yen["amount"]) == ("30.00", "3500")


def test_a_report_keeps_currencies_apart(cli: Cli, sold: None) -> None:
    report = read(cli, "reports", "by", "publisher", "--since", "2025-11-01")
    assert {one["currency"]: one["revenue"] for one in report["total"]["money"]} == {
        "USD": "42.00",
        "JPY": "5000",
    }


@pytest.mark.parametrize(
    "words",
    [
        ("ledger", "deposit", "acme", "5", "--key", "k"),
        ("invoices", "issue", "--advertiser", "acme", "--period", MONTH_OLD),
        ("payouts", "run", "--until", "2026-01-01", "--key", "k"),
    ],
)
def test_what_is_no_currency_is_wrong_usage(cli: Cli, applied: Engine, words: tuple[str, ...]) -> None:
    result = cli(*words, "--currency", "yen")
    assert result.exit_code == 2
    assert "expected a currency code such as EUR, got 'yen'" in result.stderr


@pytest.mark.parametrize("mistyped", ["XXQ", "USC", "XAU"])
def test_a_code_that_is_no_currency_books_nothing(cli: Cli, applied: Engine, mistyped: str) -> None:
    result = cli("ledger", "deposit", "acme", "5", "--key", "k", "--currency", mistyped)
    assert result.exit_code == 2
    assert f"there is no currency '{mistyped}' in ISO 4217" in result.stderr
    assert list(ledger.all_transfers(applied)) == []


def test_what_was_booked_by_a_slip_of_the_finger_before_can_be_given_back(cli: Cli, applied: Engine) -> None:
    ledger.post(applied, deposit("slip", "acme", 50_000, "XXQ", BEGAN))
    words = ("ledger", "refund", "acme", "500.00", "--key", "back", "--reason", "a slip", "--currency")
    assert read(cli, *words, "XXQ")["currency"] == "XXQ"
    assert "there is no currency 'XXZ' in ISO 4217" in cli(*words, "XXZ").stderr


def test_a_marketplace_is_not_begun_in_a_currency_that_there_is_not(cli: Cli, engine: Engine) -> None:
    assert "there is no currency 'XXQ' in ISO 4217" in refusal(
        cli("marketplace", "init", "--currency", "XXQ")
    )
    assert marketplaces.load(engine) is None


def test_a_campaign_is_created_in_a_currency_of_its_own(cli: Cli, applied: Engine) -> None:
    amounts = ("--price", "4200", "--payout", "3000", "--currency", "JPY")
    assert cli("campaigns", "create", "roofing", "--advertiser", "acme", *amounts).exit_code == 0
    assert read(cli, "campaigns", "show", "roofing")["price"] == "4200"


def test_calls_are_not_judged_again_in_another_currency(cli: Cli, engine: Engine, tmp_path: Path) -> None:
    calls.save(engine, [settlement(make_call(1))])
    file = tmp_path / "draft.yaml"
    file.write_text(MARKETPLACE.replace('    price: "42.00"', '    currency: EUR\n    price: "42.00"'))
    line = refusal(cli("qualify", "replay", "--since", "2025-01-01", "--terms", str(file)))
    assert "has campaign plumbing in EUR" in line
    assert "is in USD" in line
