"""A command that is refused has booked nothing, and a dry run books nothing either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.cli.common import now_ms
from ari_app.store.calls import calls
from ari_app.store.ledger import ledger
from ari_app.store.money import bills, disputes, payouts
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import Cli, refusal

DAY_MS = 86_400_000
INVOICE = ("invoices", "issue", "--advertiser", "acme", "--period", "2025-11")
STATEMENT = ("payouts", "statement", "--publisher", "homefix", "--period", "2025-11")
CALL = make_call(1).id
RUN = ("payouts", "run", "--until", "2999-12-31", "--key", "november")


@pytest.fixture(autouse=True)
def _saved(applied: Engine) -> None:
    calls.save(applied, [settlement(make_call(1)), settlement(make_call(2))])


def booked(engine: Engine) -> tuple[int, int, int]:
    """How many bills, payout runs and transfers there are."""
    kinds = ("invoice", "statement")
    return (
        sum(len(bills.list_(engine, kind)) for kind in kinds),  # type: ignore[arg-type]
        len(payouts.every(engine)),
        len(list(ledger.all_transfers(engine))),
    )


@pytest.mark.parametrize("words", [INVOICE, STATEMENT])
def test_what_cannot_be_written_is_known_before_a_bill_is_issued(
    cli: Cli, applied: Engine, tmp_path: Path, words: tuple[str, ...]
) -> None:
    before = booked(applied)
    for wrong in (
        ("--items", "--pdf", f"{tmp_path}/bill.pdf"),
        ("--pdf", str(tmp_path)),
        ("--csv", f"{tmp_path}/no/such/folder.csv"),
        ("--dry-run", "--pdf", f"{tmp_path}/bill.pdf"),
        ("--currency", "dollars"),
    ):
        result = cli(*words, "--force-open", *wrong)
        assert result.exit_code == 2, (wrong, result.output)
    assert booked(applied) == before
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_known_before_anybody_is_paid(cli: Cli, applied: Engine) -> None:
    before = booked(applied)
    assert cli(*RUN, "--csv", "/no/such/folder.csv").exit_code == 2
    assert cli(*RUN, "--minimum", "soon").exit_code == 2
    assert booked(applied) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (INVOICE, "invoice 1 is issued"),
        (STATEMENT, "statement 1 is issued"),
        (RUN, "payout run november is paid"),
    ],
)
def test_when_a_disk_is_full_it_is_said_what_is_booked(cli: Cli, words: tuple[str, ...], said: str) -> None:
    assert refusal(cli(*words, "--csv", "/dev/full")) == (
        f"callrace: {said}, but a file was not written (No space left on device): give the same command again, "
        "with another file; it books nothing more"
    )
    again = cli(*words, "--csv", "-")
    assert again.exit_code == 0
    assert "before" in again.stderr


def test_a_run_of_all_days_there_are_is_paid_and_shown(cli: Cli) -> None:
    paid = cli("payouts", "run", "--until", "9999-12-31", "--key", "all", "--json")
    assert paid.exit_code == 0, paid.exception
    assert json.loads(paid.stdout)["until"] == "9999-12-31T23:59:59.999Z"
    assert cli("payouts", "show", "all", "--json").exit_code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("conversions", "post", CALL, "--at", "9999-12-31T23:59-12:00"),
        ("conversions", "post", CALL, "--at", "0001-01-01T00:00+14:00"),
        ("reports", "by", "campaign", "--since", "9999-12-30", "--until", "9999-12-31T23:00-05:00"),
    ],
)
def test_a_moment_that_has_no_text_in_utc_is_wrong_usage(cli: Cli, words: tuple[str, ...]) -> None:
    result = cli(*words)
    assert result.exit_code == 2, result.exception
    assert "is not a time such as" in result.stderr


@pytest.mark.parametrize("wrong", ["", " ", "two\nlines", "\udcff"])
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("ledger", "deposit", "acme", "5.00"), "--key"),
        (("ledger", "refund", "acme", "5.00", "--reason", "r"), "--key"),
        (("ledger", "refund", "acme", "5.00", "--key", "k"), "--reason"),
        (("ledger", "adjust", CALL, "--price", "-1.00", "--reason", "r"), "--key"),
        (("ledger", "adjust", CALL, "--price", "-1.00", "--key", "k"), "--reason"),
        (("disputes", "open", CALL), "--reason"),
        (("agents", "pause", "agent-1"), "--reason"),
    ],
)
def test_a_key_and_a_reason_are_text_on_one_line(
    cli: Cli, applied: Engine, words: tuple[str, ...], option: str, wrong: str
) -> None:
    before = booked(applied)
    result = cli(*words, option, wrong)
    assert result.exit_code == 2, result.exception
    assert booked(applied) == before


def test_a_dry_run_shows_the_bill_that_is_then_issued(cli: Cli, applied: Engine) -> None:
    before = booked(applied)
    dry = cli(*INVOICE, "--dry-run", "--json")
    items = cli(*INVOICE, "--dry-run", "--items", "--json")
    assert dry.stderr == "nothing is issued: invoice 1 would be this\n"
    assert booked(applied) == before
    issued, shown = (json.loads(result.stdout) for result in (cli(*INVOICE, "--json"), dry))
    assert shown | {"issued_at": issued["issued_at"]} == issued
    assert json.loads(items.stdout) == json.loads(cli("invoices", "show", "1", "--items", "--json").stdout)
    assert cli(*INVOICE, "--dry-run").stderr == "invoice 1 was issued before\n"


def test_a_dry_run_shows_the_payouts_that_are_then_paid(cli: Cli, applied: Engine) -> None:
    before = booked(applied)
    dry = cli(*RUN, "--dry-run", "--csv", "-")
    assert dry.stderr == "nothing is paid: this is what a run would pay now\n"
    assert booked(applied) == before
    assert cli(*RUN, "--csv", "-").stdout == dry.stdout
    assert "homefix,60.00,USD,2,payout:november:homefix" in dry.stdout


def test_a_run_that_pays_nobody_says_why_and_leaves_its_key_free(cli: Cli, applied: Engine) -> None:
    young, disputed = make_call(3, ended_at=now_ms()), make_call(4, ended_at=now_ms() - 8 * DAY_MS)
    calls.save(applied, [settlement(young), settlement(disputed)])
    disputes.open_(applied, disputed.id, None, DAY_MS * 30, now_ms(), "ann", "it was a fax")
    nobody = cli(*RUN, "--minimum", "100.00")
    assert nobody.stdout == "nobody has enough due: nothing was paid\n"
    assert sorted(nobody.stderr.splitlines()) == [
        "1 publisher has 30.00 USD of calls in open dispute; see `callrace disputes list`",
        "1 publisher has 30.00 USD of calls younger than 7 days; see --hold-days",
        "1 publisher has 60.00 USD, each less than 100.00; see --minimum",
    ]
    assert payouts.every(applied) == []
    waits = json.loads(cli(*RUN, "--minimum", "100.00", "--json").stdout)["waits"]
    assert {one["reason"] for one in waits} == {"young", "disputed", "minimum"}
    assert "60.00" in cli(*RUN).stdout  # the key was free
