"""A party that leaves the marketplace keeps its account: it is told, billed, paid out, refunded, disputed with."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, update

from ari_app.cli.common import now_ms
from ari_app.domain.document.reading import parse
from ari_app.store.calls import calls
from ari_app.store.db.engine import writing
from ari_app.store.db.tables import marketplace_versions
from ari_app.store.market import marketplaces
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import Cli, refusal

# Nobody of MARKETPLACE is left in it.
ANOTHER = """\
currency: USD
advertisers: {bolt: {name: Bolt Electric}}
publishers: {adnest: {name: AdNest}}
destinations: {}
campaigns: {}
numbers: {}
"""
CALL = make_call(1, ended_at=now_ms() - 10 * 86_400_000)


@pytest.fixture
def earned(cli: Cli, applied: Engine) -> Engine:
    """acme paid 100.00 in and was charged 42.00, of which homefix earned 30.00."""
    assert cli("ledger", "deposit", "acme", "100.00", "--key", "wire").exit_code == 0
    calls.save(applied, [settlement(CALL)])
    return applied


@pytest.fixture
def left(earned: Engine) -> Engine:
    """Both have left."""
    marketplaces.apply(earned, parse(ANOTHER, "another.yaml"), now_ms())
    return earned


def test_a_plan_says_what_those_who_leave_are_owed(cli: Cli, earned: Engine) -> None:
    told = cli("plan", "-", input=ANOTHER).stdout
    assert "  advertiser acme keeps its account: it is owed 58.00 USD\n" in told
    assert "  publisher homefix keeps its account: it is owed 30.00 USD\n" in told
    accounts = json.loads(cli("plan", "-", "--json", input=ANOTHER).stdout)["accounts"]
    assert [(one["name"], one["balance"]) for one in accounts] == [("acme", "58.00"), ("homefix", "30.00")]


def test_a_plan_says_what_those_who_leave_owe(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [settlement(CALL)])
    assert "advertiser acme keeps its account: it owes 42.00 USD" in cli("plan", "-", input=ANOTHER).stdout


def test_who_has_left_is_billed_under_their_own_name_and_time_zone(cli: Cli, left: Engine) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    words = ("--period", month, "--force-open", "--json")
    invoice = json.loads(cli("invoices", "issue", "--advertiser", "acme", *words).stdout)
    assert (invoice["name"], invoice["timezone"]) == ("Acme Plumbing", "America/New_York")
    assert invoice["closing"] == "58.00"
    stated = json.loads(cli("payouts", "statement", "--publisher", "homefix", *words).stdout)
    assert (stated["name"], stated["closing"]) == ("HomeFix", "30.00")


def test_who_has_left_is_paid_out_and_refunded(cli: Cli, left: Engine) -> None:
    assert "30.00" in cli("payouts", "run", "--until", "2999-12-31", "--key", "last").stdout
    words = ("ledger", "refund", "acme", "58.00", "--reason", "they left", "--key", "wire-back")
    assert cli(*words).stdout == "gave back 58.00 USD to acme (key wire-back)\n"
    assert cli(*words).stdout == "was given back before: 58.00 USD to acme (key wire-back)\n"
    for account in ("acme", "homefix"):
        kind = "advertiser" if account == "acme" else "publisher"
        last = json.loads(cli("ledger", "statement", f"{kind}:{account}", "--json").stdout)[-1]
        assert last["after"]["posted"] == "0.00"
    assert cli("ledger", "verify").exit_code == 0


def test_a_charge_of_who_has_left_is_disputed_and_adjusted(cli: Cli, left: Engine) -> None:
    assert "charged more than 7 days ago" in refusal(cli("disputes", "open", CALL.id, "--reason", "a robot"))
    fresh = make_call(2, ended_at=now_ms())
    calls.save(left, [settlement(fresh)])
    assert cli("disputes", "open", fresh.id, "--reason", "a robot").exit_code == 0
    assert cli("disputes", "accept", "1").exit_code == 0
    assert cli("ledger", "adjust", CALL.id, "--price", "-2.00", "--reason", "r", "--key", "k").exit_code == 0


def test_who_has_left_pays_what_it_owes(cli: Cli, applied: Engine) -> None:
    calls.save(applied, [settlement(CALL)])
    marketplaces.apply(applied, parse(ANOTHER, "another.yaml"), now_ms())
    assert cli("ledger", "deposit", "acme", "42.00", "--key", "last").exit_code == 0
    assert "0.00" in cli("ledger", "statement", "advertiser:acme").stdout


def test_what_an_advertiser_does_not_have_is_not_refunded(cli: Cli, earned: Engine) -> None:
    words = ("ledger", "refund", "acme", "--reason", "r", "--key")
    assert refusal(cli(*words, "a", "58.01")) == (
        "callrace: 58.01 is more than the 58.00 USD that acme has available"
    )
    assert "is more than the 0.00 CAD" in refusal(cli(*words, "a", "1.00", "--currency", "CAD"))
    cli("ledger", "deposit", "acme", "5.00", "--key", "second")
    assert cli(*words, "a", "63.00").exit_code == 0
    assert "another refund with the key" in refusal(cli(*words, "a", "62.00"))
    assert cli("ledger", "verify").exit_code == 0


def test_who_never_was_is_still_refused(cli: Cli, left: Engine) -> None:
    assert "there is no advertiser nobody; there are: bolt" in refusal(
        cli("invoices", "issue", "--advertiser", "nobody", "--period", "2025-11")
    )
    assert "there is no account publisher:nobody" in refusal(cli("ledger", "statement", "publisher:nobody"))
    assert cli("ledger", "statement", "publisher:homefix").exit_code == 0


def test_a_version_that_cannot_be_read_is_named_where_a_party_is_looked_for_in_it(
    cli: Cli, applied: Engine
) -> None:
    marketplaces.apply(applied, parse(ANOTHER, "another.yaml"), now_ms())
    its = marketplace_versions.c
    with writing(applied) as connection:  # as if a newer program had applied the first
        newer = func.replace(its.document_json, '"advertisers":', '"parlours":{},"advertisers":')
        connection.execute(update(marketplace_versions).where(its.version == 1).values(document_json=newer))
    told = refusal(cli("ledger", "statement", "publisher:homefix"))
    assert "marketplace 1 cannot be read by this Callrace (parlours: " in told
