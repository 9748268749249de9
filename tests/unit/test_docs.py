"""What `docs/` says is so: each field that it has is there, and each field that there is, it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import click
import pytest

from ari_app.cli.main import main
from ari_app.domain.calls.record import Disposition, LegOutcome
from ari_app.domain.ledger.verification import Finding
from ari_app.views.ledger import proof_json
from tests.kit.database import migrated
from tests.kit.documented import records, tables, told_of
from tests.kit.shapes import COMMANDS, Shapes
from tests.kit.told import Told, everything, of_a_switch
from tests.unit.cli.conftest import new_home, run

MARKETPLACE = tables("marketplace.md")
RECORDS = {record.__name__: record for record in records()}
ENTRIES = {
    "advertisers": "Advertiser",
    "publishers": "Publisher",
    "destinations": "Destination",
    "flows": "Flow",
    "campaigns": "Campaign",
    "creatives": "Creative",
}


# The marketplace's document


def test_the_marketplaces_records_are_those_that_are_documented() -> None:
    assert set(MARKETPLACE) - {"How values are written"} == set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_a_records_fields_are_documented_with_their_types_and_defaults(name: str) -> None:
    rows = {row["Field"].strip("`"): (row["Type"], row["Default"]) for row in MARKETPLACE[name]}
    assert rows == told_of(RECORDS[name])
    assert len(rows) == len(MARKETPLACE[name]), "a field is there twice"


@pytest.mark.parametrize("name", RECORDS)
def test_each_field_has_a_meaning_and_money_and_time_a_unit(name: str) -> None:
    for row in MARKETPLACE[name]:
        assert row["Meaning"], row
        assert row["Unit"] or not row["Type"].startswith(("amount", "duration", "share", "number of")), row


# What commands print


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """What every command prints where everything has happened once."""
    folder = tmp_path_factory.mktemp("told")
    with pytest.MonkeyPatch.context() as monkeypatch, new_home(monkeypatch) as settings:
        engine = migrated(settings.home / "callrace.db")
        told = everything(run, settings, engine, folder)
        of_a_switch(told, settings, monkeypatch, folder)
        engine.dispose()
    told["ledger verify"].append(proof_json(1, [Finding("a rule", "a key", "what is wrong")]))
    return told


def test_each_command_that_prints_json_is_documented_and_each_documented_one_does() -> None:
    assert set(COMMANDS) == set(_commands_with_json(main, ()))


def _commands_with_json(command: click.Command, words: tuple[str, ...]) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.commands:
            yield from _commands_with_json(command.commands[name], (*words, name))
    elif any(option.name == "as_json" for option in command.params):
        yield " ".join(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_what_is_documented(command: str, told: Told) -> None:
    shapes = Shapes()
    for value in told[command]:
        assert shapes.complaints(COMMANDS[command], _without_the_entrys_own(command, value)) == []


def _without_the_entrys_own(command: str, value: Any) -> Any:
    """The value, but for the fields that docs/marketplace.md has, where it is an object of the marketplace."""
    noun, _, verb = command.partition(" ")
    if noun not in ENTRIES or verb not in ("list", "show"):
        return value
    if isinstance(value, list):
        return [_without_the_entrys_own(command, one) for one in value]
    own = {row["Field"].strip("`") for row in MARKETPLACE[ENTRIES[noun]]}
    return {name: one for name, one in value.items() if name not in own}


def test_each_documented_field_is_printed_by_some_command(told: Told) -> None:
    shapes = Shapes()
    for command, values in told.items():
        for value in values:
            shapes.complaints(COMMANDS[command], _without_the_entrys_own(command, value))
    assert shapes.documented() - shapes.seen == set()


def test_each_way_that_a_call_and_a_leg_can_end_is_documented() -> None:
    record = tables("record.md")
    for heading, ways in (("Dispositions", Disposition), ("Outcomes of a leg", LegOutcome)):
        assert [row["Value"].strip("`") for row in record[heading]] == list(get_args(ways))
