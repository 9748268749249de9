"""Asterisk's task processors that were overloaded lately, read from its log, as AMI and ARI do not report them.

Asterisk logs a warning when a queue reaches its high water mark (`main/taskprocessor.c`). The log is that of the lab's
Asterisk, or one that is mounted there; without a log nothing is known.
"""

from __future__ import annotations

import re
from pathlib import Path

LATELY_S = 300.0
_MOST_READ = 1_000_000  # bytes at once; if there is more, only the last bytes are read
_ALARM = re.compile(rb"The '([^'\n]{1,200})' task processor queue reached (\d+) scheduled tasks")


class TaskProcessors:
    """Reads the log from its present end on."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_to = self._size()
        self._overloaded: dict[str, tuple[float, int]] = {}  # when last (s), and how many tasks waited

    def look(self, now_s: float) -> dict[str, int]:
        """The queues overloaded in the last LATELY_S, each with how many tasks waited. `now_s` is monotonic."""
        for match in _ALARM.finditer(self._news()):
            self._overloaded[match[1].decode(errors="replace")] = now_s, int(match[2])
        self._overloaded = {
            name: alarm for name, alarm in self._overloaded.items() if now_s - alarm[0] < LATELY_S
        }
        return {name: tasks for name, (_, tasks) in self._overloaded.items()}

    def _news(self) -> bytes:
        """The complete lines written since the last look; all lines when a new log was begun."""
        size = self._size()
        start = max(self._read_to if size >= self._read_to else 0, size - _MOST_READ)
        try:
            with self._log.open("rb") as file:
                file.seek(start)
                text = file.read(_MOST_READ)
        except OSError:
            return b""
        whole = text.rfind(b"\n") + 1
        self._read_to = start + whole
        return text[:whole]

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0
