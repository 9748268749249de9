"""The log of the long-running programs: one event a line, with the id of the call that it concerns.

Within a call's task every line gets the call's id automatically (`begin`); elsewhere `fields(call=...)` sets it.
In all log lines, including errors of other libraries, phone numbers lose their last four digits.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

Format = Literal["logfmt", "json"]

_call: ContextVar[str | None] = ContextVar("call", default=None)

# E.164, also within an address; or ten digits in North American form, alone or after a 1.
_NUMBER = re.compile(r"((?:\+|%2B)[1-9]\d{2,})\d{4}(?!\d)|(?<![\w.])(1?[2-9]\d\d[2-9]\d\d)\d{4}(?!\w)")
_PLAIN = re.compile(r"[^\s\"=\\]+")


def begin(call_id: str) -> None:
    """From now on, log lines of this task, and of every task that it starts, have this call's id."""
    _call.set(call_id)


def fields(**values: object) -> dict[str, Any]:
    """Values for a line, as logging's `extra`. `call` is the id of the call that the line concerns."""
    return {"fields": values}


def mask(text: str) -> str:
    """The text, each phone number in it without its last four digits: +1212555****."""
    return _NUMBER.sub(lambda number: f"{number[1] or number[2]}****", text)


def log_to_stderr(form: Format) -> None:
    """Begins to log, from INFO on, as logfmt or as one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Logfmt())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class Logfmt(logging.Formatter):
    """The local time, level, logger and call; the message; then all other values as key=value."""

    def __init__(self) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback follows on separate lines."""
        known = _known(record)
        call = f"call={known.pop('call')} " if "call" in known else ""
        at = f"{self.formatTime(record, self.datefmt)}.{record.msecs:03.0f}"
        message = record.getMessage().replace("\n", "\\n")
        rest = "".join(f" {name}={_quoted(value)}" for name, value in known.items())
        error = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return mask(f"{at} level={record.levelname} logger={record.name} {call}{message}{rest}{error}")


class JsonLines(logging.Formatter):
    """The same as a JSON object: at (ISO 8601, UTC), level, logger, message, call, and all other values."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_known(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps({name: mask(v) if isinstance(v, str) else v for name, v in line.items()})


def _known(record: logging.LogRecord) -> dict[str, Any]:
    """The line's values that are not None, including the call's id."""
    values = {"call": _call.get()} | getattr(record, "fields", {})
    return {name: value for name, value in values.items() if value is not None}


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
