"""`callrace conversions`, and how a call that waits is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ari_app.domain.basics.clock import iso
from ari_app.store.calls import calls
from tests.samples import settlement, unqualified, waiting, with_late_bonus
from tests.unit.cli.conftest import Cli, refusal

CALL = waiting(1)
AT = iso((CALL.ended_at or 0) + 3_600_000)


@pytest.fixture(autouse=True)
def _saved(applied: Engine) -> None:
    calls.save(applied, [settlement(CALL), settlement(unqualified(2))])


def read(cli: Cli, *words: str) -> Any:
    result = cli(*words, "--json")
    assert result.exit_code == 0, result.output + result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a day after the calls."""
    monkeypatch.setattr("ari_app.cli.common.now_ms", lambda: (CALL.ended_at or 0) + 86_400_000)


def test_a_call_that_waits_is_explained(cli: Cli) -> None:
    told = cli("calls", "explain", CALL.id).output
    assert "42.00 USD of acme's money are held" in told
    assert "It waits for a conversion until" in told
    assert "Not yet: all of the terms must be met, and 1 of 2 is open." in told
    assert "open: became a sale in time? (converted_within)" in told
    assert "Verdict: waits for a conversion" in cli("calls", "show", CALL.id).output


def test_a_conversion_is_posted_and_the_call_charged(cli: Cli, in_time: None) -> None:
    result = cli("conversions", "post", CALL.id, "--at", AT, "--ref", "order-1")
    assert result.output == f"call {CALL.id} is decided: charged 42.00, paid 30.00 USD\n"
    again = cli("conversions", "post", CALL.id, "--at", AT)
    assert "was converted before" in again.output
    [listed] = read(cli, "conversions", "list")
    assert (listed["call"], listed["ref"], listed["charged"]) == (CALL.id, "order-1", "42.00")
    told = cli("calls", "explain", CALL.id).output
    assert "acme was charged 42.00 USD, and homefix was paid 30.00 USD" in told
    assert read(cli, "calls", "show", CALL.id)["conversion"]["ref"] == "order-1"
    assert cli("ledger", "verify").exit_code == 0


def test_a_conversion_that_is_still_to_come_is_refused(cli: Cli) -> None:
    assert "which is in the future" in refusal(
        cli("conversions", "post", CALL.id, "--at", "2999-01-01T00:00Z")
    )


def test_a_conversion_too_late_is_told_as_such(cli: Cli) -> None:
    assert "is decided: not payable" in cli("conversions", "post", CALL.id).output


def test_a_file_of_conversions_is_taken_once(cli: Cli, in_time: None, tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(f"call,at,ref\n{CALL.id},{AT},1\n{unqualified(2).id},{AT},\n")
    assert read(cli, "conversions", "import", str(file)) == {"decided": 1, "noted": 1, "known": 0}
    assert read(cli, "conversions", "import", str(file)) == {"decided": 0, "noted": 0, "known": 2}


def test_a_bonus_that_waits_is_explained(cli: Cli, applied: Engine) -> None:
    sold = with_late_bonus(3)
    calls.save(applied, [settlement(sold)])
    told = " ".join(cli("calls", "explain", sold.id).output.split())
    assert "acme was charged 42.00 USD and homefix was paid 30.00 USD" in told
    assert "5.00 USD more were set aside for a bonus that waits for a conversion" in told
    assert "The bonus sale has terms of its own, which are not all met yet" in told


def test_a_call_that_is_not_there_is_refused(cli: Cli) -> None:
    line = refusal(cli("conversions", "post", "no-such-call"))
    assert "there is no call 'no-such-call'; nothing was taken" in line


def test_calls_that_wait_are_listed_and_given_up_when_their_time_is_over(cli: Cli) -> None:
    assert CALL.id in cli("conversions", "list", "--pending").output
    assert cli("conversions", "expire").output == "1 call waited in vain\n"
    assert cli("conversions", "list", "--pending").output == "no calls wait\n"
    assert "no conversion came in the time until" in cli("calls", "explain", CALL.id).output
