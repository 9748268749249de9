"""Files that are there whole or not at all, whenever the process or the machine dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_UNFINISHED = ".part"
_AT_ONCE = 4  # files that the disk is asked about together: a busy one lets each wait, and all of them as long as one


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file in one step; its content survives a power cut. Raises OSError.

    The name survives one only after `sync`, so that many files share its cost.
    """
    unfinished = path.with_name(path.name + _UNFINISHED)
    with _gone_on_failure([unfinished]):
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files by name, each whole or not at all; they and their names survive a power cut. Raises OSError.

    All are written before the first is waited for: the disk takes them together.
    """
    unfinished = {name: folder / (name + _UNFINISHED) for name in files}
    with _gone_on_failure(unfinished.values()):
        for name, content in files.items():
            unfinished[name].write_bytes(content)
        _together(sync, unfinished.values())
        for name, path in unfinished.items():
            path.replace(folder / name)
        sync(folder)


def remove_all(paths: Iterable[Path]) -> int:
    """Removes files; how many of them were there. Raises OSError, having removed some."""
    return sum(_together(_remove, paths))


def _remove(path: Path) -> bool:
    with suppress(FileNotFoundError):
        path.unlink()
        return True
    return False


def _together(work: Callable[[Path], _T], paths: Iterable[Path]) -> list[_T]:
    """Does the same with each file, with some at once. Raises what the first of them that fails does."""
    with ThreadPoolExecutor(_AT_ONCE, "callrace-disk") as threads:
        return list(threads.map(work, paths))


def clear_unfinished(*patterns: Path) -> None:
    """Removes what a process that died was about to write, such as `spool/*`: it names callers. Raises OSError.

    For a process that is the only one to write these files.
    """
    for pattern in patterns:
        for path in pattern.parent.glob(pattern.name + _UNFINISHED):
            path.unlink(missing_ok=True)


@contextmanager
def _gone_on_failure(unfinished: Iterable[Path]) -> Iterator[None]:
    """Where the disk does not take them, nothing of them stays."""
    try:
        yield
    except OSError:
        for path in unfinished:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Makes what a file holds, or the names in a folder, survive a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
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


def names(folder: Path) -> list[str]:
    """The names of the folder's JSON files in their order, whole ones only; none when there is no such folder.

    Raises OSError.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(".json"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def has_any(folder: Path) -> bool:
    """Whether the folder has a JSON file; looks no further than the first. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
    except FileNotFoundError:
        return False


def listed(folder: Path) -> list[Path]:
    """The same files as paths. Raises OSError."""
    return [folder / name for name in names(folder)]
