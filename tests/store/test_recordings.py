"""Recordings are deleted when their time has come, when told to, and with their caller; the call says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.domain.calls.record import Tracks
from ari_app.store.calls import calls, privacy, recordings
from ari_app.store.calls.spool import Spool
from ari_app.store.db.errors import FilesStay
from tests.samples import BEGAN, make_call, settlement

NOW = BEGAN + 1_000_000
ANI = "+12125550142"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where recordings are."""
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings"


def recorded(folder: Path, n: int, keep_until: int = NOW + 1, **changes):
    """A call whose two tracks are there."""
    record = make_call(n, recording=Tracks(BEGAN + n, keep_until), **changes)
    for path in recordings.paths(folder, record.id):
        path.write_bytes(b"RIFF")
    return record


def test_a_recorded_call_comes_back_as_it_was(engine: Engine, folder: Path) -> None:
    record = recorded(folder, 1)
    calls.save(engine, [settlement(record), settlement(make_call(2))])
    assert calls.get(engine, record.id) == record
    assert calls.get(engine, make_call(2).id) == make_call(2)


def test_recordings_are_listed_newest_first(engine: Engine, folder: Path) -> None:
    saved = [recorded(folder, n) for n in range(3)]
    calls.save(engine, [settlement(record) for record in saved])
    assert [kept.call_id for kept in recordings.latest(engine, 2)] == [saved[2].id, saved[1].id]


def test_a_recording_goes_when_its_time_has_come_and_not_before(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "_AT_ONCE", 2)
    saved = [recorded(folder, n, keep_until=NOW + n - 4) for n in range(8)]
    calls.save(engine, [settlement(record) for record in saved])
    assert recordings.expire(engine, folder, NOW) == 5
    assert recordings.expire(engine, folder, NOW) == 0
    left = [record.id for record in saved if any(p.exists() for p in recordings.paths(folder, record.id))]
    assert left == [record.id for record in saved[5:]]
    gone = calls.get(engine, saved[0].id)
    assert gone is not None and gone.recording == Tracks(BEGAN, NOW - 4, deleted_at=NOW)
    assert (gone.events[-1].what, gone.events[-1].at) == ("recording deleted", NOW)
    assert gone.money == saved[0].money


def test_a_deletion_says_why(engine: Engine, folder: Path) -> None:
    record = recorded(folder, 1)
    calls.save(engine, [settlement(record)])
    assert recordings.delete(engine, folder, record.id, "by ann: asked for", NOW)
    assert not recordings.delete(engine, folder, record.id, "by ann: again", NOW)
    after = calls.get(engine, record.id)
    assert after is not None and after.events[-1].detail == "by ann: asked for"


def test_a_recording_whose_files_stay_is_not_called_deleted(engine: Engine, folder: Path) -> None:
    record = recorded(folder, 1)
    calls.save(engine, [settlement(record)])
    caller_file = recordings.paths(folder, record.id)[0]
    caller_file.unlink()
    caller_file.mkdir()  # what cannot be unlinked, also by root
    with pytest.raises(FilesStay, match=r"-caller\.wav cannot be deleted"):
        recordings.delete(engine, folder, record.id, "asked for", NOW)
    assert calls.get(engine, record.id) == record


def test_one_recording_whose_files_stay_keeps_no_other(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "_AT_ONCE", 2)
    saved = [recorded(folder, n, keep_until=NOW + n - 9) for n in range(5)]
    calls.save(engine, [settlement(record) for record in saved])
    stays = recordings.paths(folder, saved[0].id)[0]
    stays.unlink()
    stays.mkdir()
    with pytest.raises(FilesStay, match="4 recordings are deleted, 1 are not: "):
        recordings.expire(engine, folder, NOW)
    stays.rmdir()
    assert recordings.expire(engine, folder, NOW) == 1


def test_who_is_erased_is_heard_no_more(engine: Engine, folder: Path, tmp_path: Path) -> None:
    mine, other = recorded(folder, 1, ani=ANI), recorded(folder, 2)
    calls.save(engine, [settlement(mine), settlement(other)])
    assert privacy.erase_caller(engine, Spool(tmp_path / "spool"), folder, ANI, NOW) == 1
    assert {path.name for path in folder.iterdir()} == {p.name for p in recordings.paths(folder, other.id)}
    after = calls.get(engine, mine.id)
    assert after is not None and after.recording is not None and after.recording.deleted_at == NOW
    assert calls.get(engine, other.id) == other


def test_files_that_no_record_tells_of_go_with_their_caller(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    record = recorded(folder, 1, ani=ANI)
    record.recording = None
    calls.save(engine, [settlement(record)])
    privacy.erase_caller(engine, Spool(tmp_path / "spool"), folder, ANI, NOW)
    assert list(folder.iterdir()) == []
