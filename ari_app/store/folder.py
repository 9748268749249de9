"""Files that are there whole or not at all, whenever the process or the machine dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNFINISHED = ".part"


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file in one step; its content survives a power cut. Raises OSError.

    The name survives one only after `sync_folder`, so that many files share its cost.
    """
    unfinished = path.with_name(path.name + _UNFINISHED)
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps every other process out of such a block of the same folder; waits for its turn. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def listed(folder: Path) -> list[Path]:
    """The folder's JSON files by name, whole ones only; none when there is no such folder. Raises OSError."""
    return sorted(folder.glob("*.json"))
