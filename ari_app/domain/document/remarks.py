"""Remarks: hours and time zones of a marketplace that are valid, but probably not what was meant.

Such a document is applied as it stands. `plan`, `apply`, the desk's commands and `doctor` show the remarks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from ari_app.domain.basics.hours import Hours
from ari_app.domain.basics.yamltext import FieldPath, dotted
from ari_app.domain.market.marketplace import Marketplace

_PARTS = (
    "advertisers",
    "publishers",
    "destinations",
    "flows",
    "campaigns",
    "geography",
)  # where hours and zones can be
_LAST_MINUTE = re.compile(r".*-((\d\d):59)", re.ASCII)
_OFFSET = re.compile(r"Etc/GMT([+-])(\d{1,2})", re.ASCII)
_PLACES = {
    4: "America/Halifax",
    5: "America/New_York",
    6: "America/Chicago",
    7: "America/Denver",
    8: "America/Los_Angeles",
    9: "America/Anchorage",
}
"""Zones with summer time, by the hours that their standard time is behind UTC."""

_NO_SUMMER_TIME = {"EST": 5, "MST": 7}
_OLD_NAMES = {"EST5EDT": 5, "CST6CDT": 6, "MST7MDT": 7, "PST8PDT": 8}


@dataclass(frozen=True, slots=True)
class Remark:
    """A value that is probably not what was meant. `path`: where it is, such as `campaigns.plumbing.hours.open[0]`."""

    path: str
    words: str


def remarks(marketplace: Marketplace) -> list[Remark]:
    """Every remark about a marketplace, in the order of its document."""
    return [
        Remark(dotted(path), words)
        for part in _PARTS
        for path, words in _within((part,), getattr(marketplace, part))
    ]


def _within(path: FieldPath, value: Any) -> Iterator[tuple[FieldPath, str]]:
    """The remarks about a value of the document, and about all that it holds."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _within((*path, key), item)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _within((*path, index), item)
    elif is_dataclass(value):
        yield from _of_record(path, value)
        for field in fields(value):
            yield from _within((*path, field.name), getattr(value, field.name))


def _of_record(path: FieldPath, record: Any) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(record, Hours):
        for index, text in enumerate(record.open):
            if words := _of_range(text):
                yield (*path, "open", index), words
    zone = getattr(record, "timezone", None)
    if zone is not None and (words := _of_zone(zone)):
        yield (*path, "timezone"), words


def _of_range(text: str) -> str | None:
    """The minute at which a range ends does not belong to it. So a range until 23:59 lacks the day's last minute."""
    match = _LAST_MINUTE.fullmatch(text)
    if match is None:
        return None
    following = f"{int(match[2]) + 1:02d}:00"
    return f'"{text}" is closed from {match[1]} on; to be open until {following}, write {following}'


def _of_zone(zone: str) -> str | None:
    if zone in _OLD_NAMES:
        return f'"{zone}" is an old name; write {_PLACES[_OLD_NAMES[zone]]}'
    if zone in _NO_SUMMER_TIME:
        behind = _NO_SUMMER_TIME[zone]
        return f'"{zone}" is UTC-{behind} all year; where there is summer time, write {_PLACES[behind]}'
    match = _OFFSET.fullmatch(zone)
    if match is None or not int(match[2]):
        return None
    sign, hours = "-" if match[1] == "+" else "+", int(match[2])
    place = _PLACES.get(hours, "a place's zone")
    return f'"{zone}" is UTC{sign}{hours} all year, as its sign is reversed; where there is summer time, write {place}'
