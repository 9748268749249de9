"""Files that are complete or not there at all, whenever the process or the machine dies."""

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
_AT_ONCE = 4  # files synced together: on a busy disk each sync waits, and several at once wait as long as one


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file in one step; its content survives a power cut. Raises OSError.

    The name survives a power cut only after `sync` of the folder, so that many files share its cost.
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

    All are written before any is synced, so that the disk takes them together.
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
    """Removes files; returns how many of them were there. Raises OSError; some may be removed then."""
    return sum(_together(_remove, paths))


def _remove(path: Path) -> bool:
    with suppress(FileNotFoundError):
        path.unlink()
        return True
    return False


def _together(work: Callable[[Path], _T], paths: Iterable[Path]) -> list[_T]:
    """Does the same with each file, with several at once. Raises the error of the first that fails."""
    with ThreadPoolExecutor(_AT_ONCE, "callrace-disk") as threads:
        return list(threads.map(work, paths))


def clear_unfinished(*patterns: Path) -> None:
    """Removes half-written files of a process that died, such as `spool/*`: they name callers. Raises OSError.

    Only for a process that alone writes these files.
    """
    for pattern in patterns:
        for path in pattern.parent.glob(pattern.name + _UNFINISHED):
            path.unlink(missing_ok=True)


@contextmanager
def _gone_on_failure(unfinished: Iterable[Path]) -> Iterator[None]:
    """If the disk does not take them, no part of them stays."""
    try:
        yield
    except OSError:
        for path in unfinished:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Makes the content of a file, or the names in a folder, survive a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A lock on a folder among processes: waits for its turn. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def names(folder: Path) -> list[str]:
    """The names of the folder's JSON files in their order, complete ones only; empty when there is no such folder.

    Raises OSError.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(".json"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def has_any(folder: Path) -> bool:
    """Whether the folder has a JSON file; stops at the first one. Raises OSError."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.endswith(".json") for entry in entries)
    except FileNotFoundError:
        return False


def listed(folder: Path) -> list[Path]:
    """The same files as paths. Raises OSError."""
    return [folder / name for name in names(folder)]
