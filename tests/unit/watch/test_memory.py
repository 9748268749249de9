"""Asterisk's memory is read of the process that is Asterisk, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ari_app.watch.memory import asterisk_memory


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """Process 17 is Asterisk, process 1 is not."""
    for pid, name in (("17", "asterisk"), ("1", "systemd")):
        folder = tmp_path / pid
        folder.mkdir()
        (folder / "comm").write_text(f"{name}\n")
        (folder / "status").write_text(f"Name:\t{name}\nVmRSS:\t   2048 kB\nThreads:\t43\n")
    return tmp_path


@pytest.mark.parametrize(
    ("pid", "told"),
    [("17\n", 2048 * 1024), ("1", None), ("99", None)],
    ids=["asterisk", "another program, as when Asterisk is in a container", "nobody"],
)
def test_it_is_told_of_asterisk_alone(processes: Path, pid: str, told: int | None) -> None:
    (processes / "asterisk.pid").write_text(pid)
    assert asterisk_memory(processes / "asterisk.pid", processes) == told


def test_without_a_file_nothing_is_known(processes: Path) -> None:
    assert asterisk_memory(processes / "asterisk.pid", processes) is None
