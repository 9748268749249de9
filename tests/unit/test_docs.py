"""What `docs/` says is so: each field that it has is there, and each field that there is, it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_type_hints

import click
import pytest

from ari_app.cli.main import main
from ari_app.domain.calls.record import Disposition, EndSource, LegOutcome, PlaceRecord, TransferOutcome
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.caps.counters import OwnerKind
from ari_app.domain.caps.outlook import Shortage
from ari_app.domain.document.changes import ChangeKind
from ari_app.domain.ivr.flow import EndReason
from ari_app.domain.ledger.bills import Bill
from ari_app.domain.ledger.disputes import DisputeState, DisputeStep
from ari_app.domain.ledger.payouts import Reason
from ari_app.domain.ledger.transfers import TransferKind
from ari_app.domain.ledger.verification import LedgerFinding
from ari_app.domain.numbers.applications import ApplicationEvent, ApplicationState
from ari_app.domain.numbers.holdings import Origin
from ari_app.domain.numbers.inventory import NumberKind, Status
from ari_app.domain.routing.legs import Phase as LegPhase
from ari_app.switch.live import PHASES
from ari_app.views.ledger import proof_json
from tests.kit.database import migrated
from tests.kit.documented import DOCS, records, tables, told_of
from tests.kit.shapes import COMMANDS, RECORD, Shapes
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
    told["ledger verify"].append(proof_json(1, [LedgerFinding("a rule", "a key", "what is wrong")]))
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


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        ("Dispositions", get_args(Disposition)),
        ("Outcomes of a leg", get_args(LegOutcome)),
        ("Outcomes of a transfer", get_args(TransferOutcome)),
        ("Events", [name.value for name in EventName]),
    ],
)
def test_each_value_of_a_kind_is_documented(heading: str, values: Sequence[str]) -> None:
    assert [row["Value"].strip("`") for row in tables("record.md")[heading]] == list(values)


VALUES = {
    ("Call", "end_source"): get_args(EndSource),
    ("Call", "place.from"): get_args(get_type_hints(PlaceRecord)["from_"]),
    ("LiveCall", "phase"): PHASES,
    ("LiveCall", "legs[].phase"): [phase.name.lower() for phase in LegPhase],
    ("Applied", "changes[].kind"): get_args(ChangeKind),
    ("Warning", "limit"): get_args(get_type_hints(Shortage)["limit"]),
    ("Application", "state"): get_args(ApplicationState),
    ("ApplicationStep", "event"): get_args(ApplicationEvent),
    ("Number", "status"): get_args(Status),
    ("Number", "kind"): get_args(NumberKind),
    ("Number", "origin"): get_args(Origin),
    ("Cap", "owner"): get_args(OwnerKind),
    ("StatementLine", "kind"): get_args(TransferKind),
    ("Dispute", "state"): get_args(DisputeState),
    ("Dispute", "events[].what"): get_args(DisputeStep),
    ("Bill", "kind"): get_args(get_type_hints(Bill)["kind"]),
    ("PayoutRun", "waits[].reason"): get_args(Reason),
    ("Trial", "flow.ends"): ["offer", *get_args(EndReason)],
}
"""The fields that have one of a few values, and these."""


@pytest.mark.parametrize(("noun", "field"), VALUES)
def test_a_field_with_a_few_values_names_them(noun: str, field: str) -> None:
    rows = (tables("record.md") if noun == RECORD else tables("json.md"))[noun]
    [meaning] = [row["Meaning"] for row in rows if row["Field"] == f"`{field}`"]
    assert set(VALUES[noun, field]) == set(re.findall(r"`([^`]+)`", meaning))


# The pages


def test_each_link_of_the_docs_leads_somewhere() -> None:
    for page in DOCS.glob("*.md"):
        for file, anchor in re.findall(r"\]\(([\w.]*)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
            target = DOCS / (file or page.name)
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {heading.lower().replace(" ", "-") for heading in headings}
            assert not anchor or anchor in anchors, f"{page.name} links to {file}#{anchor}"
