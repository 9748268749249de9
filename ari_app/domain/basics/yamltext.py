"""Reads YAML text into plain values, strictly, and finds the line that a value came from.

Strict means: no duplicate keys, no anchors, aliases or tags (with them a small text could become a huge or
foreign value), only text as keys, one document, bounded in size and depth. Dates stay text. Values are
built from libyaml's events. Its node tree would take six times as long for 50,000 numbers,
and keeps every position in memory. So lines are looked up in a second reading, only when there are
complaints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

import yaml

MAX_CHARACTERS = 64 * 1024 * 1024
MAX_DEPTH = 32

FieldPath = tuple[str | int, ...]
"""Where a value is: keys and list indexes from the top."""


def dotted(path: FieldPath) -> str:
    """The path as people write it: `campaigns.plumbing.route.waves[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


class YamlError(Exception):
    """The text is no YAML at `line`."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Complaint:
    """A mistake in the value at `path`. Without a `line` it is at the line of that value."""

    path: FieldPath
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """The line (from 1) of an entry, and its text as written where it is a scalar."""

    line: int
    text: str | None


def read(text: str) -> tuple[Any, list[Complaint]]:
    """The value, and complaints about what is not allowed in it. Raises YamlError if the text cannot be read."""
    reader = _Reader(text, frozenset())
    return reader.read(), reader.complaints


def positions(text: str, paths: Iterable[FieldPath]) -> Mapping[FieldPath, Position]:
    """The positions of these entries and of all above them, as far as they exist."""
    wanted = frozenset(path[:length] for path in paths for length in range(len(path) + 1))
    reader = _Reader(text, wanted)
    reader.read()
    return reader.positions


class _Reader:
    def __init__(self, text: str, wanted: frozenset[FieldPath]) -> None:
        self.complaints: list[Complaint] = []
        self.positions: dict[FieldPath, Position] = {}
        self._text = text
        self._wanted = wanted
        self._path: list[str | int] = []

    def read(self) -> Any:
        if len(self._text) > MAX_CHARACTERS:
            raise YamlError(1, f"the file is larger than {MAX_CHARACTERS // 1024**2} MiB")
        try:
            events = yaml.parse(self._text, Loader=yaml.CSafeLoader)
            return self._document(events)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise YamlError(mark.line + 1 if mark else 1, f"not YAML: {error.problem}") from error
        except yaml.reader.ReaderError as error:
            line = self._text.count("\n", 0, error.position) + 1
            raise YamlError(line, f"not YAML: {error.reason}") from error

    def _document(self, events: Iterator[Any]) -> Any:
        starts = (event for event in events if isinstance(event, yaml.DocumentStartEvent))
        value = self._value(next(events), events) if next(starts, None) else None
        second: Any = next(starts, None)
        if second is not None:
            raise YamlError(second.start_mark.line + 1, "expected one document, got a second one")
        return value

    def _value(self, event: Any, events: Iterator[Any]) -> Any:
        if self._wanted:
            self._note(event)
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, "an alias (*) is not allowed; write the value out")
        if event.anchor is not None:
            self._refuse(event, "an anchor (&) is not allowed")
        if event.tag is not None:
            self._refuse(event, "a tag (!) is not allowed; put text in quotes")
        if len(self._path) > MAX_DEPTH:
            raise YamlError(event.start_mark.line + 1, f"nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events)
        return _plain(event.value) if event.implicit[0] else intern(event.value)

    def _mapping(self, events: Iterator[Any]) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise YamlError(event.start_mark.line + 1, "expected a key, got a mapping, list or alias")
            key = intern(event.value)
            self._path.append(key)
            if key in mapping:
                self._refuse(event, "this key is there twice")
            if event.implicit[0] and not isinstance(_plain(key), str):
                self._refuse(
                    event, f'expected a key in quotes, such as "{key}", as YAML reads it as something else'
                )
            if self._wanted:
                self._note(event)
            mapping[key] = self._value(next(events), events)
            self._path.pop()
        return mapping

    def _list(self, events: Iterator[Any]) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            self._path.append(len(items))
            items.append(self._value(event, events))
            self._path.pop()
        return items

    def _refuse(self, event: Any, message: str) -> None:
        self.complaints.append(Complaint(tuple(self._path), message, event.start_mark.line + 1))

    def _note(self, event: Any) -> None:
        """Keeps the line of an entry's first event (its key), and the text of its last (its value)."""
        path = tuple(self._path)
        if path in self._wanted:
            first = self.positions.get(path)
            line = first.line if first else event.start_mark.line + 1
            self.positions[path] = Position(line, getattr(event, "value", None))


_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_CONSTRUCT = {
    "tag:yaml.org,2002:null": _CONSTRUCTOR.construct_yaml_null,
    "tag:yaml.org,2002:bool": _CONSTRUCTOR.construct_yaml_bool,
    "tag:yaml.org,2002:int": _CONSTRUCTOR.construct_yaml_int,
    "tag:yaml.org,2002:float": _CONSTRUCTOR.construct_yaml_float,
}
_RESOLVERS = {
    first: [(_CONSTRUCT[tag], tag, pattern) for tag, pattern in resolvers if tag in _CONSTRUCT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _plain(text: str) -> Any:
    """The value of an unquoted scalar in YAML 1.1: null, a bool, a number, or text."""
    for construct, tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            try:
                return construct(yaml.ScalarNode(tag, text))
            except ValueError:  # such as 0x_, which YAML's own pattern takes for a number
                return intern(text)
    return intern(text)
