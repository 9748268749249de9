"""`callrace spool`: what waits for the database is seen, and saved when asked."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from ari_app.cli.remedies import looked_at
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.calls.spool import Spool
from ari_app.watch import doctor
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import Cli, refusal


@pytest.fixture
def spool(settings: Settings) -> Spool:
    """A spool in which one call waits and one was refused."""
    spool = Spool(settings.spool)
    spool.put([settlement(make_call(1))])
    spool.refuse(settlement(make_call(2)), "a table was missing")
    return spool


def test_an_empty_spool_says_so(cli: Cli) -> None:
    assert cli("spool", "list").output == "the spool is empty\n"


def test_what_waits_and_what_was_refused_is_listed_with_the_reason(cli: Cli, spool: Spool) -> None:
    _, waits, refused = cli("spool", "list").output.splitlines()
    assert waits.split()[0] == make_call(1).id and waits.endswith("waits")
    assert refused.split()[0] == make_call(2).id and refused.endswith("a table was missing")


def test_list_json_has_the_files_too(cli: Cli, spool: Spool) -> None:
    waits, refused = json.loads(cli("spool", "list", "--json").output)
    assert (waits["state"], waits["reason"], refused["state"]) == ("waits", None, "refused")
    assert refused["file"].startswith(str(spool.refused_folder))


def test_retry_saves_everything_once(cli: Cli, spool: Spool, engine: Engine) -> None:
    assert cli("spool", "retry").output == "2 calls saved\n"
    assert json.loads(cli("spool", "retry", "--json").output) == {"saved": 0, "left": 0}
    assert [call.id for call in calls.latest(engine)] == [make_call(2).id, make_call(1).id]


def test_retry_tells_what_is_refused_again(cli: Cli, spool: Spool, engine: Engine) -> None:
    spool.refuse(settlement(make_call(3, did=None)), "no number")
    result = cli("spool", "retry")
    assert result.stdout == "2 calls saved\n"
    assert "1 not taken by the database" in refusal(result)


def test_the_doctor_names_a_spool_that_is_not_empty(settings: Settings, spool: Spool) -> None:
    finding = doctor.check_spool(settings)
    assert (finding.ok, finding.detail) == (False, "1 calls wait for the database, 1 were refused")
    assert "spool retry" in looked_at(finding).remedy


def test_the_doctor_has_nothing_against_an_empty_spool(settings: Settings) -> None:
    assert doctor.check_spool(settings).ok


def test_files_that_somebody_put_there_are_listed_and_keep_no_caller_from_being_erased(
    cli: Cli, spool: Spool, engine: Engine
) -> None:
    for name in ("a note.json", "refused/a note.json"):
        (spool.folder / name).write_text("{")
    listed = json.loads(cli("spool", "list", "--json").output)
    assert [one["id"] for one in listed].count("a note") == 2 and len(listed) == 4
    ani = make_call(1).ani
    message = refusal(cli("privacy", "erase", str(ani)))
    assert "a note.json cannot be read" in message
    assert [one.ani for one in spool.records()] == [None, make_call(2).ani]
    assert "2 calls saved" in cli("spool", "retry").output
