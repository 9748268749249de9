"""Staged terms whose time has come are what the marketplace says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ari_app.domain.document.reading import parse
from ari_app.store.market import marketplaces
from tests.unit.cli.conftest import MARKETPLACE, Cli, refusal

FILE = MARKETPLACE.replace(
    '    payout: "30.00"\n', '    payout: "30.00"\n    staged: {from: "2026-01-01T00:00Z", price: "50.00"}\n'
)
BEFORE_THEN = 1_763_900_000_000


@pytest.fixture
def market(cli: Cli, engine, sounds: Path, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """FILE, applied before its staged terms came into force."""
    marketplaces.apply(engine, parse(FILE, "market.yaml"), BEFORE_THEN)
    (tmp_path / "market.yaml").write_text(FILE)
    return tmp_path / "market.yaml"


def price(cli: Cli) -> str:
    return str(json.loads(cli("campaigns", "show", "plumbing", "--json").stdout)["price"])


def test_list_show_and_export_say_what_is_in_force(cli: Cli, market: Path) -> None:
    assert price(cli) == "50.00"
    assert "50.00" in cli("campaigns", "list").stdout
    exported = cli("export").stdout
    assert 'price: "50.00"' in exported.replace("'", '"')
    assert "staged" not in exported
    assert "nothing to change" in cli("plan", "-", input=exported).stdout
    assert "nothing to change" in cli("plan", str(market)).stdout


def test_a_price_that_is_set_is_in_force_and_not_hidden(cli: Cli, market: Path) -> None:
    changed = cli("campaigns", "set", "plumbing", "price=55.00")
    assert "price: 50.00 -> 55.00" in changed.stdout
    assert price(cli) == "55.00"
    cli("campaigns", "set", "plumbing", "price=42.00")
    assert price(cli) == "42.00"


def test_an_edit_of_the_file_that_would_be_hidden_or_undo_them_says_the_way_out(
    cli: Cli, market: Path
) -> None:
    market.write_text(FILE.replace("42.00", "45.00"))
    assert refusal(cli("apply", str(market))) == (
        "callrace: campaign plumbing: its staged terms are in force since 2026-01-01T00:00:00.000Z and hide its own "
        "price: write what is to count in their place, and take `staged` out"
    )
    market.write_text(MARKETPLACE)
    assert (
        "write what `callrace export` says, or go back by `callrace campaigns set plumbing price=VALUE`"
        in (refusal(cli("plan", str(market))))
    )
    assert price(cli) == "50.00"
