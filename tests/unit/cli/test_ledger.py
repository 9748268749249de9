"""`callrace ledger`: deposits, statements, and whether the books are right."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, update

from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import account_balances
from tests.samples import make_call
from tests.unit.cli.conftest import Cli, refusal


def test_a_deposit_counts_once_by_its_key(cli: Cli, applied: Engine) -> None:
    words = ("ledger", "deposit", "acme", "500.00", "--key", "wire-1")
    assert cli(*words).output == "deposited 500.00 USD for acme (key wire-1)\n"
    assert cli(*words).output == "was deposited before: 500.00 USD for acme (key wire-1)\n"
    balances = json.loads(cli("ledger", "balances", "--json").output)
    assert {b["account"]: b["posted"] for b in balances} == {"advertiser:acme": "500.00", "world": "-500.00"}


def test_a_deposit_of_another_amount_under_the_same_key_is_refused(cli: Cli, applied: Engine) -> None:
    cli("ledger", "deposit", "acme", "500.00", "--key", "wire-1")
    assert "has another transfer with the key" in refusal(
        cli("ledger", "deposit", "acme", "5.00", "--key", "wire-1")
    )


def test_a_deposit_for_nobody_is_refused_and_of_nothing_is_wrong_usage(cli: Cli, applied: Engine) -> None:
    assert "there is no advertiser nobody; there are: acme" in refusal(
        cli("ledger", "deposit", "nobody", "5.00", "--key", "k")
    )
    for amount in ("0", "5.001", "much"):
        assert cli("ledger", "deposit", "acme", amount, "--key", "k").exit_code == 2


def test_a_statement_shows_each_transfer_and_the_balance_after_it(cli: Cli, saved: Engine) -> None:
    lines = cli("ledger", "statement", "publisher:homefix").output.splitlines()
    assert len(lines) == 2
    assert "30.00" in lines[1]
    line = json.loads(cli("ledger", "statement", "publisher:homefix", "--json").output)[0]
    assert (line["effect"], line["after"]["posted"]) == ("30.00", "30.00")


def test_a_statement_of_no_account_is_refused(cli: Cli, applied: Engine) -> None:
    assert "there is no account homefix; accounts are" in refusal(cli("ledger", "statement", "homefix"))
    assert cli("ledger", "statement", "publisher:homefix").output == "no transfers\n"


def test_a_ledger_in_order_is_verified(cli: Cli, saved: Engine) -> None:
    assert cli("ledger", "verify").output.startswith("ok: ")
    assert json.loads(cli("ledger", "verify", "--json").output)["balanced"] is True


@pytest.mark.breaks_the_ledger
def test_a_kept_balance_that_is_not_the_sum_is_refused(cli: Cli, saved: Engine) -> None:
    with writing(saved) as connection:
        connection.execute(update(account_balances).values(posted=account_balances.c.posted + 1))
    result = cli("ledger", "verify")
    assert "findings 3" in refusal(result)
    assert "kept balances are the transfers' sums  advertiser:acme USD" in result.output


@pytest.mark.breaks_the_ledger
def test_a_ledger_that_contradicts_a_call_is_refused(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [calls.Settlement(make_call(1), ())])
    result = cli("ledger", "verify")
    assert "the record and the ledger agree" in result.output
    assert "the ledger is not in order" in refusal(result)
