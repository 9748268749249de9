"""The spool: settled calls that the database could not take yet, a file each, safe from a crash.

    spool/TIME-ID.json          waits for the database; the order of names is the order of settlement
    spool/refused/TIME-ID.json  will never fit the database as it is; TIME-ID.txt says why

A file is deleted only after its call is committed. A call that is both in the spool and in the database does no
harm, because a saved call is not saved twice.

An hour at 50 calls a second is 180,000 files. So the folder is listed once, and only names are kept in memory.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.spooled import Spooled
from ari_app.domain.terms.wire import Unreadable, pack_settled, unpack_settled
from ari_app.store.calls.calls import Settlement
from ari_app.store.db.atomic_files import listed, names, remove_all, sync, write_all, write_whole
from ari_app.store.db.errors import SpoolUnusable

log = logging.getLogger(__name__)

_NAME = re.compile(r"00[0-9a-f]{11}-.+\.json", re.ASCII)  # of a moment before the year 2500

LIMIT = 500_000  # calls, about 5 kB each: three hours at 50 calls a second


class Spool:
    """The spool in `folder`, which is made when the first call comes."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.refused_folder = folder / "refused"
        self._limit = limit
        self._line: deque[str] = deque()  # names of files, the oldest first, as they were when last listed
        self._count = len(names(folder))
        self._refused_at, self._refused = 0, 0

    @property
    def in_line(self) -> int:
        """Calls that are known to come next, by the last listing."""
        return len(self._line)

    def __len__(self) -> int:
        """Calls that wait, as far as this process knows."""
        return self._count

    def put(self, settlements: Sequence[Settlement]) -> None:
        """Writes calls, which then survive a power cut. Raises SpoolUnusable; some of the calls may be written then."""
        if self._count + len(settlements) > self._limit:
            raise SpoolUnusable(f"{self.folder} holds {self._count} calls, {self._limit} at most")
        try:
            self.refused_folder.mkdir(parents=True, exist_ok=True)
            files = {_name(one): pack_settled(one.record, one.transfers) for one in settlements}
            count = sum(not (self.folder / name).exists() for name in files)
            write_all(self.folder, files)
            self._count += count
        except OSError as error:
            self._count_anew()
            raise SpoolUnusable(f"{self.folder} takes no calls: {error.strerror}") from error

    def oldest(self, limit: int) -> list[Settlement]:
        """The calls that were settled first. A file that is no call is moved to the refused ones."""
        if not self._count:
            return []
        found: list[Settlement] = []
        if not self._line:
            self._line.extend(names(self.folder))
            self._count = len(self._line)
        while self._line and len(found) < limit:
            one = self._read(self.folder / self._line.popleft())
            if one is not None:
                found.append(one)
        return found

    def remove(self, settlements: Iterable[Settlement]) -> None:
        """Deletes calls that the database has. A call that is not in the spool is no error. Raises SpoolUnusable."""
        if not self._count:
            return
        try:
            self._count -= remove_all(self.folder / _name(settlement) for settlement in settlements)
        except OSError as error:
            self._count_anew()
            raise SpoolUnusable(f"{self.folder} cannot be cleared: {error.strerror}") from error

    def _count_anew(self) -> None:
        with suppress(OSError):
            self._count = len(names(self.folder))

    def refuse(self, settlement: Settlement, reason: str) -> None:
        """Moves a call to the refused ones: the database will never take it as it is. Raises SpoolUnusable."""
        self.put([settlement])
        self._set_aside(self.folder / _name(settlement), reason)

    def kept(self) -> list[Spooled]:
        """All calls in the spool: those that wait, then those that were refused; each in the order of settlement."""
        waiting = [_kept(path, None) for path in listed(self.folder)]
        return waiting + [_kept(path, _reason(path)) for path in listed(self.refused_folder)]

    def retry_refused(self) -> None:
        """Has refused calls tried again. Raises SpoolUnusable."""
        try:
            for path in listed(self.refused_folder):
                path.replace(self.folder / path.name)
                _reason_file(path).unlink(missing_ok=True)
        except OSError as error:
            raise SpoolUnusable(f"{self.refused_folder} cannot be cleared: {error.strerror}") from error
        self._line.clear()
        self._count = len(names(self.folder))

    def refused(self) -> int:
        """How many calls were refused. Cheap to ask while that number does not change."""
        try:
            changed_at = self.refused_folder.stat().st_mtime_ns
        except OSError:
            return 0
        if changed_at != self._refused_at:
            self._refused_at, self._refused = changed_at, len(names(self.refused_folder))
        return self._refused

    def amend(self, is_wanted: Callable[[CallRecord], bool], change: Callable[[CallRecord], None]) -> int:
        """Changes the records of some calls in the spool, refused ones too; returns how many. Raises SpoolUnusable.

        For an operator, while a switch may be running: if the switch has just read a call, it saves it unchanged. The
        error about calls that cannot be read or changed is raised when all others are done.
        """
        count, unread = 0, ""
        for path, _, _, reason in self.kept():
            try:
                record, transfers = unpack_settled(path.read_bytes())
                if is_wanted(record):
                    ani = record.ani or ""
                    change(record)
                    write_whole(path, pack_settled(record, transfers))
                    if reason is not None:  # below its first line it may quote the call
                        told = reason.partition("\n")[0]
                        told = told.replace(ani, " " * len(ani)) if ani and record.ani is None else told
                        write_whole(_reason_file(path), told.encode())
                    sync(path.parent)
                    count += 1
            except FileNotFoundError:  # somebody else saved it meanwhile
                continue
            except Unreadable as error:
                unread = (
                    unread or f"{path} cannot be read ({error}): look yourself whose call it is, or delete it"
                )
            except OSError as error:
                unread = unread or f"{path} cannot be changed: {error.strerror}"
        if unread:
            raise SpoolUnusable(unread)
        return count

    def records(self) -> Iterator[CallRecord]:
        """The records in the spool, refused ones too, each read when it is asked for. Unreadable ones are left out."""
        for path in [*listed(self.folder), *listed(self.refused_folder)]:
            with suppress(OSError, Unreadable):  # saved meanwhile; or for `oldest` to put aside
                yield unpack_settled(path.read_bytes())[0]

    def ids(self) -> set[str]:
        """The calls in the spool, refused ones too."""
        return {_call_id(name) for folder in (self.folder, self.refused_folder) for name in names(folder)}

    def _read(self, path: Path) -> Settlement | None:
        try:
            return Settlement(*unpack_settled(path.read_bytes()))
        except FileNotFoundError:  # somebody else saved it meanwhile
            return None
        except Unreadable as error:
            with suppress(SpoolUnusable):  # it is logged, and passed over the next time too
                self._set_aside(path, str(error))
            return None
        except OSError as error:
            log.critical("%s cannot be read: %s", path, error.strerror)
            return None

    def _set_aside(self, path: Path, reason: str) -> None:
        """Moves a file. The reason is written first, so that no file is without one. Raises SpoolUnusable."""
        log.error("the database does not take %s: %s", path.name, reason)
        aside = self.refused_folder / path.name
        try:
            self.refused_folder.mkdir(exist_ok=True)
            write_whole(_reason_file(aside), reason.encode())
            path.replace(aside)
            sync(self.refused_folder)
        except OSError as error:
            raise SpoolUnusable(f"{path} cannot be put aside: {error.strerror}") from error
        self._count -= 1


def _name(settlement: Settlement) -> str:
    record = settlement.record
    return f"{record.ended_at or record.started_at:013x}-{record.id}.json"


def _kept(path: Path, reason: str | None) -> Spooled:
    if not _NAME.fullmatch(path.name):  # somebody put it there
        return Spooled(path, path.stem, 0, reason)
    return Spooled(path, _call_id(path.name), int(path.name.partition("-")[0], 16), reason)


def _call_id(name: str) -> str:
    return name.removesuffix(".json").partition("-")[2]


def _reason(path: Path) -> str:
    try:
        return _reason_file(path).read_text(errors="replace")
    except FileNotFoundError:  # somebody took it away, or it is saved meanwhile
        return "nobody knows why"


def _reason_file(path: Path) -> Path:
    return path.with_suffix(".txt")
