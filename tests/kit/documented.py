"""What `docs/` says, and what the marketplace's records say of themselves: to hold one against the other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import getclosurevars
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from ari_app.domain.basics import degrees, invitefields
from ari_app.domain.basics import fields as kinds
from ari_app.domain.basics.durations import format_duration
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.shapes import ShownNumber
from ari_app.settings import REPOSITORY

DOCS = REPOSITORY / "docs"

Row = dict[str, str]
"""A row of a table, by the headings of its columns."""


def tables(file: str) -> dict[str, list[Row]]:
    """The tables of a file in docs/, by the heading that each stands under. Raises ValueError where one has two."""
    found: dict[str, list[Row]] = {}
    heading, columns = "", list[str]()
    for line in (DOCS / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading, columns = line.lstrip("# "), []
        elif not line.startswith("|"):
            columns = []
        elif not columns:
            columns = _cells(line)
            if heading in found:
                raise ValueError(f"{file} has two tables under {heading}")
            found[heading] = []
        elif not re.fullmatch(r"[|: -]+", line):
            found[heading].append(dict(zip(columns, _cells(line), strict=True)))
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


# The marketplace's records

_NAMES: Mapping[str, Any] = {
    "id": kinds.Id,
    "text": kinds.Text,
    "amount": kinds.Amount,
    "amount of fine decimals": kinds.FineRate,
    "mapping of currency to amount": kinds.AmountByCurrency,
    "share": kinds.Share,
    "duration": kinds.DurationMs,
    "moment": kinds.Moment,
    "phone number": kinds.E164,
    "`own`, `pass` or phone number": ShownNumber,
    "phone number or prefix": kinds.CallerPattern,
    "name": kinds.Name,
    "HTML": kinds.Markup,
    "file": kinds.FileName,
    "SHA-256": kinds.Sha256,
    "size": kinds.Size,
    "web address": kinds.WebAddress,
    "prompt": kinds.Prompt,
    "speech": kinds.Speech,
    "SIP URI": kinds.SipUri,
    "state": kinds.StateCode,
    "ZIP code": kinds.ZipCode,
    "area code": kinds.AreaCode,
    "time zone": kinds.TimeZone,
    "currency": kinds.Currency,
    "place of a number": invitefields.NumberPlace,
    "place of an attestation": invitefields.AttestationPlace,
    "dial prefix": invitefields.DialPrefix,
    "number of miles": kinds.Miles,
    "latitude": degrees.Latitude,
    "longitude": degrees.Longitude,
}
_BY_VALIDATOR = {get_args(kind)[1]: name for name, kind in _NAMES.items()}
# Types that only `Hours` has.
_BY_FUNCTION = {"_range": "weekly hours", "_closed": "date"}


class Told(NamedTuple):
    """A field of a record, in the words of docs/marketplace.md: its type, and what it is when it is not said."""

    type: str
    default: str


def records() -> Iterator[type]:
    """Marketplace, and every record that it holds, at any depth; each once."""
    seen: set[type] = set()
    to_see: list[type] = [Marketplace]
    while to_see:
        record = to_see.pop(0)
        if record not in seen:
            seen.add(record)
            yield record
            for kind in get_type_hints(record, include_extras=True).values():
                to_see += _records_in(kind)


def _records_in(kind: Any) -> Iterator[type]:
    if isinstance(kind, type) and is_dataclass(kind):
        yield kind
    for part in get_args(kind) if get_origin(kind) is not Literal else ():
        yield from _records_in(part)


def told_of(record: type) -> dict[str, Told]:
    """What a record's fields are, by the names that a document gives them."""
    hints = get_type_hints(record, include_extras=True)
    return {
        _name(field): Told(_type(hints[field.name]), _default(field, hints[field.name]))
        for field in fields(record)
    }


def _name(field: Any) -> str:
    alias = field.default.alias if isinstance(field.default, FieldInfo) else None
    return alias or str(field.name)


def _type(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _annotated(parts[0], parts[1:])
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in parts if part is not NoneType)
    if origin is Literal:
        return "`true`" if parts == (True,) else ", ".join(f"`{part}`" for part in parts)
    if origin in (tuple, frozenset):
        return f"list of {_type(parts[0])}"
    if origin is not None:
        return f"mapping of {_type(parts[0])} to {_type(parts[1])}"
    return {bool: "true or false", str: "text"}.get(kind) or str(kind.__name__)


def _annotated(kind: Any, by: tuple[Any, ...]) -> str:
    for validator in by:
        if isinstance(validator, BeforeValidator):
            if validator in _BY_VALIDATOR:
                return _BY_VALIDATOR[validator]
            function = validator.func
            limits = getclosurevars(function).nonlocals
            if {"low", "high"} <= set(limits):
                return f"{limits['low']:,} to {limits['high']:,}"
            return _BY_FUNCTION[function.__name__]
    return _type(kind)


def _default(field: Any, kind: Any) -> str:
    default = field.default
    if isinstance(default, FieldInfo):
        return "required" if default.is_required() else "empty"
    if default is MISSING:
        return "required" if field.default_factory is MISSING else "empty"
    if default is None:
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if is_dataclass(default):
        return "its defaults"
    if isinstance(default, tuple | frozenset):
        return ", ".join(sorted(default)) or "empty"
    return format_duration(default) if _type(kind) == "duration" else str(default)
