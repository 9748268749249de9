"""`callrace qualify replay`."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Engine

from ari_app.store.calls import calls
from ari_app.store.ledger import ledger
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import MARKETPLACE, Cli

SINCE = ("--since", "2025-01-01")


def draft(tmp_path: Path, old: str, new: str) -> str:
    assert old in MARKETPLACE
    file = tmp_path / "draft.yaml"
    file.write_text(MARKETPLACE.replace(old, new))
    return str(file)


def test_other_terms_are_told_in_calls_and_money_and_nothing_moves(
    cli: Cli, engine: Engine, tmp_path: Path
) -> None:
    calls.save(engine, [settlement(make_call(n)) for n in (1, 2)])
    before = ledger.balances(engine)
    file = draft(tmp_path, "connected_at_least: 90s", "connected_at_least: 200s")
    result = cli("qualify", "replay", *SINCE, "--terms", file)
    assert result.exit_code == 0, result.output
    assert "Calls that would be judged otherwise: 2 of 2" in result.output
    assert "at least 200 s needed" in result.output
    assert ledger.balances(engine) == before


def test_as_json_every_changed_call_has_its_verdicts(cli: Cli, engine: Engine, tmp_path: Path) -> None:
    calls.save(engine, [settlement(make_call(1))])
    file = draft(tmp_path, 'payout: "30.00"', 'payout: {share: "50%"}')
    told = json.loads(cli("qualify", "replay", *SINCE, "--terms", file, "--json").stdout)
    (campaign,) = told["campaigns"]
    assert (campaign["before"]["paid"], campaign["after"]["paid"]) == ("30.00", "21.00")
    assert [call["why"] for call in told["changed"]] == ["other amounts"]


def test_a_campaign_that_the_file_does_not_have_is_refused(cli: Cli, tmp_path: Path) -> None:
    file = draft(tmp_path, "price", "price")
    result = cli("qualify", "replay", *SINCE, "--terms", file, "--campaign", "roofing")
    assert result.exit_code == 1
    assert "has no campaign roofing" in result.stderr
