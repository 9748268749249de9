"""Whether values of JSON are as docs/json.md and docs/record.md say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.kit.documented import Row, tables

RECORD = "Call"
FORMS = {
    "text": r"(?s).*",
    "id": r"[a-z0-9][a-z0-9-]{0,63}",
    "phone number": r"\+[1-9]\d{6,14}",
    "amount": r"-?\d+(\.\d+)?",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
}
COMMANDS = {
    row["Command"].strip("`"): row["Prints"] for row in tables("json.md")["Which command prints what"]
}
"""What each command prints, by the command's words."""


class Shapes:
    """The shapes that are documented. `seen` gathers the fields that values had, each as (noun, path)."""

    def __init__(self) -> None:
        found = {**tables("json.md"), RECORD: tables("record.md")[RECORD]}
        self.nouns: dict[str, dict[str, str]] = {
            noun: _types(rows) for noun, rows in found.items() if "Field" in rows[0]
        }
        self.seen: set[tuple[str, str]] = set()

    def documented(self) -> set[tuple[str, str]]:
        """Every field, as (noun, path)."""
        return {(noun, path) for noun, rows in self.nouns.items() for path in rows}

    def complaints(self, type_: str, value: Any) -> list[str]:
        """What of the value is not as the type says, a line each; the fields of what is right are `seen`."""
        return self._any_of(type_, value, type_, "", "")

    def _any_of(self, type_: str, value: Any, where: str, noun: str, path: str) -> list[str]:
        """Of the types that it may have, the complaints of the one that it is closest to."""
        before, closest = set(self.seen), None
        for one in re.split(" or (?!false)", type_):
            self.seen = set(before)
            found = list(self._one(one, value, where, noun, path))
            if not found:
                return []
            if closest is None or len(found) < len(closest):
                closest = found
        self.seen = before
        assert closest is not None
        return closest

    def _one(self, type_: str, value: Any, where: str, noun: str, path: str) -> Iterator[str]:
        if type_ in self.nouns or type_ == "object":
            if isinstance(value, dict):
                yield from self._fields(*((noun, path) if type_ == "object" else (type_, "")), value, where)
                return
        elif type_.startswith("list of "):
            if isinstance(value, list):
                for item in value:
                    yield from self._any_of(type_[8:], item, f"{where}[]", noun, f"{path}[]")
                return
        elif type_.startswith("mapping to "):
            if isinstance(value, dict):
                for item in value.values():
                    yield from self._any_of(type_[11:], item, f"{where}.NAME", noun, path)
                return
        elif _is(type_, value):
            return
        yield f"{where}: expected {type_}, got {value!r:.60}"

    def _fields(self, noun: str, path: str, value: dict[str, Any], where: str) -> Iterator[str]:
        begins = f"{path}." if path else ""
        types = {
            field.removeprefix(begins): type_
            for field, type_ in self.nouns[noun].items()
            if field.startswith(begins) and re.fullmatch(r"\w+", field.removeprefix(begins))
        }
        yield from (f"{where}.{name} is not documented" for name in value if name not in types)
        for name, type_ in types.items():
            if name in value:
                self.seen.add((noun, f"{begins}{name}"))
                yield from self._any_of(type_, value[name], f"{where}.{name}", noun, f"{begins}{name}")
            elif not type_.endswith("absent"):
                yield f"{where}.{name} is documented, and not there"


def _types(rows: list[Row]) -> dict[str, str]:
    found = {row["Field"].strip("`"): row["Type"] for row in rows}
    assert len(found) == len(rows), "a field is there twice"
    return found


def _is(type_: str, value: Any) -> bool:
    match type_:
        case "null":
            return value is None
        case "true or false":
            return isinstance(value, bool)
        case "whole number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "any":
            return True
        case "absent":
            return False
        case _:
            return isinstance(value, str) and re.fullmatch(FORMS[type_], value) is not None
