"""Files that are there whole or not at all: nothing of a half one stays, which may name a caller."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from ari_app.store.db.atomic_files import clear_unfinished, remove_all, write_all, write_whole


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.usefixtures("full_disk")
def test_what_the_disk_does_not_take_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "call.json", b"+12125550142")
    with pytest.raises(OSError, match="No space"):
        write_all(tmp_path, {"one.json": b"+12125550142", "two.json": b"+12125550143"})
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_unfinished_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in ("call.json.part", "next.part", "call.json", "fallback.open.part"):
        (tmp_path / name).write_text("+12125550142")
    clear_unfinished(tmp_path / "fallback.*")
    assert not (tmp_path / "fallback.open.part").exists()
    assert (tmp_path / "next.part").exists()
    clear_unfinished(tmp_path / "*", tmp_path / "not there" / "*")
    assert [path.name for path in tmp_path.iterdir()] == ["call.json"]


def test_a_busy_disk_is_waited_for_once_by_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, sync, unlink = threading.Barrier(2, timeout=20), os.fsync, Path.unlink
    names = [f"{n}.json" for n in range(4)]

    def slow_sync(descriptor: int) -> None:
        if not os.path.samestat(os.fstat(descriptor), tmp_path.stat()):
            both.wait()  # until another is waited for, too
        sync(descriptor)

    def slow_unlink(path: Path, missing_ok: bool = False) -> None:
        both.wait()
        unlink(path, missing_ok)

    monkeypatch.setattr(os, "fsync", slow_sync)
    monkeypatch.setattr(Path, "unlink", slow_unlink)
    write_all(tmp_path, dict.fromkeys(names, b"+12125550142"))
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert remove_all(tmp_path / name for name in names) == 4
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_gone_are_not_counted_as_removed(tmp_path: Path) -> None:
    (tmp_path / "one.json").touch()
    assert remove_all([tmp_path / "one.json", tmp_path / "two.json"]) == 1
