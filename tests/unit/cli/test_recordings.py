"""`callrace recordings` and `privacy`: what was recorded is listed, deleted with a reason, and goes with its caller."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from ari_app.domain.calls.record import CallRecord, TimelineEvent, Tracks
from ari_app.settings import Settings
from ari_app.store.calls import calls, recordings
from ari_app.store.calls.spool import Spool
from tests.samples import BEGAN, make_call, settlement
from tests.unit.cli.conftest import Cli, refusal
from tests.unit.cli.fake_switch import STATUS, Server

FAR = 10**13


@pytest.fixture
def recorded(settings: Settings, engine: Engine) -> CallRecord:
    """A call that is saved and recorded."""
    settings.recordings.mkdir()
    events = [
        TimelineEvent(BEGAN + 3_000, "recording announced", "CA asks for it"),
        TimelineEvent(BEGAN + 21_000, "recording started"),
    ]
    record = make_call(1, recording=Tracks(BEGAN + 21_000, FAR), events=events)
    for path in recordings.paths(settings.recordings, record.id):
        path.write_bytes(b"RIFF" + bytes(400))
    calls.save(engine, [settlement(record)])
    return record


def test_nothing_recorded_says_so(cli: Cli, engine: Engine) -> None:
    assert cli("recordings", "list").output == "no recordings\n"


def test_a_recording_is_listed_and_what_is_missing_is_said(
    cli: Cli, recorded: CallRecord, settings: Settings
) -> None:
    (kept,) = json.loads(cli("recordings", "list", "--json").output)
    assert (kept["call"], kept["state"]) == (recorded.id, "kept")
    assert kept["files"][0] == f"{settings.recordings}/{recorded.id}-caller.wav"
    agents = recordings.paths(settings.recordings, recorded.id)[1]
    agents.write_bytes(b"")
    assert cli("recordings", "list").output.splitlines()[1].endswith("missing")
    agents.unlink()
    assert cli("recordings", "list").output.splitlines()[1].endswith("missing")


def test_show_and_explain_tell_of_the_recording(cli: Cli, recorded: CallRecord) -> None:
    assert f"{recorded.id}-caller.wav, {recorded.id}-agent.wav" in cli("calls", "show", recorded.id).output
    told = cli("calls", "explain", recorded.id).output
    assert "The caller was told that the call may be recorded: CA asks for it" in told
    assert "The recording began" in told


def test_a_recording_is_deleted_by_somebody_for_a_reason(
    cli: Cli, recorded: CallRecord, settings: Settings
) -> None:
    words = ("recordings", "delete", recorded.id[:6], "--reason", "the caller asked for it")
    assert cli(*words).output == f"the recording of call {recorded.id} is deleted\n"
    assert list(settings.recordings.iterdir()) == []
    assert "the caller asked for it" in cli("calls", "explain", recorded.id).output
    assert cli("recordings", "list").output.splitlines()[1].endswith("deleted")
    assert "has no recording" in refusal(cli(*words))


def test_deleting_what_there_is_not_is_refused(cli: Cli, engine: Engine) -> None:
    assert "there is no call 9" in refusal(cli("recordings", "delete", "9", "--reason", "x"))


def test_expire_deletes_what_is_kept_no_longer(cli: Cli, recorded: CallRecord, engine: Engine) -> None:
    assert cli("recordings", "expire").output == "0 recordings deleted\n"
    calls.save(engine, [settlement(make_call(2, recording=Tracks(BEGAN, BEGAN + 1)))])
    assert json.loads(cli("recordings", "expire", "--json").output) == {"deleted": 1}


def test_an_erased_caller_is_heard_no_more_and_leaves_the_spool(
    cli: Cli, recorded: CallRecord, settings: Settings
) -> None:
    Spool(settings.spool).put([settlement(make_call(2, ani=recorded.ani))])
    assert cli("privacy", "erase", str(recorded.ani)).output == "erased from 2 calls\n"
    assert list(settings.recordings.iterdir()) == []


def test_a_call_under_way_is_named_for_the_erasing_to_be_done_again(
    cli: Cli, recorded: CallRecord, settings: Settings
) -> None:
    live = [{"id": "0ff1ce", "ani": recorded.ani}, {"id": "0ddba11", "ani": "+12125550199"}]
    with Server(settings, STATUS, live):
        result = cli("privacy", "erase", str(recorded.ani))
    assert result.output.startswith("erased from 1 call\n")
    assert "call 0ff1ce is under way: run this again" in refusal(result)
