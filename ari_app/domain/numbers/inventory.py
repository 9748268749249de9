"""The numbers that can be given to publishers: read from a file, and asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass as plain
from functools import partial
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ari_app.domain.basics import csvimport
from ari_app.domain.basics.areacodes import TOLLFREE
from ari_app.domain.basics.fields import E164, PHONE_NUMBER, Id, StateCode
from ari_app.domain.basics.states import STATE_NAMES

NumberKind = Literal["local", "tollfree"]
Status = Literal["assigned", "free", "quarantined"]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Item:
    """A number, its kind, the state of a local number, and the trunk by which its calls come in."""

    did: E164
    kind: NumberKind
    region: StateCode | None
    trunk: Id


@plain(frozen=True, slots=True)
class Wanted:
    """Which number is asked for; None: any. A number of a state is a local number."""

    did: str | None = None
    kind: NumberKind | None = None
    region: str | None = None

    def __str__(self) -> str:
        """`in NY`, `tollfree`, or nothing."""
        return f"in {self.region}" if self.region else self.kind or ""


_ITEM = TypeAdapter(Item)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "did": ("did", "number", "phone_number", "phone number", "phone", "telephone", "tn", "e164", "e.164"),
    "kind": ("kind", "type", "number_type", "number type"),
    "region": ("region", "state", "province"),
    "trunk": ("trunk",),
}
"""The names that a column may have in a file, ours first."""
_KINDS: Mapping[str, NumberKind] = {"local": "local", "tollfree": "tollfree", "freephone": "tollfree"}
_STATES = {name.casefold(): code for code, name in STATE_NAMES.items()}
_PUNCTUATION = str.maketrans("", "", " \u00a0().-/")
_NORTH_AMERICAN = re.compile(r"\+?1?([2-9]\d{2}[2-9]\d{6})", re.ASCII)
_ROUNDED = re.compile(r"\d+([.,]\d+)?e\+?\d+", re.ASCII | re.IGNORECASE)

RegionOf = Callable[[str], str | None]
"""The state of an area code, where it is known."""


def parse(
    text: str,
    file: str,
    region_of: RegionOf,
    trunk: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> list[Item]:
    """The numbers of a file as carriers and spreadsheets export them: see `csvimport.read_export`, and COLUMNS.

    `trunk` is for rows that name none; `columns` says how our columns are called in the file. A number may be written
    as people do (`(212) 555-0101`). Kind and region are derived from the number where the file has none. Raises
    DocumentError, with the line of each mistake; then nothing of the file is used.
    """
    named = {**COLUMNS, **{column: (name,) for column, name in (columns or {}).items()}}
    needed = ["did"] if trunk is not None else ["did", "trunk"]
    items: dict[str, Item] = {}
    csvimport.read_export(text, file, named, needed, partial(_take, items, region_of, trunk))
    return list(items.values())


def _take(
    items: dict[str, Item], region_of: RegionOf, trunk: str | None, values: dict[str, str]
) -> Iterator[str]:
    """Adds the row's number, or returns what is wrong with it."""
    given = {column: values.get(column, "") for column in COLUMNS}
    if _ROUNDED.fullmatch(given["did"]):
        yield (
            f'did: a spreadsheet has rounded "{given["did"]}": format the column as text (or as a number without '
            "decimals), fill it in anew, and export again"
        )
        return
    did = spelt_out(given["did"])
    code = did[2:5] if did.startswith("+1") else ""
    kind = _kind(given["kind"]) or ("tollfree" if code in TOLLFREE else "local")
    region = _region(given["region"]) or (region_of(code) if kind == "local" else None)
    try:
        item = _ITEM.validate_python(
            {"did": did, "kind": kind, "region": region, "trunk": given["trunk"] or trunk or ""}
        )
    except ValidationError as error:
        for details in error.errors(include_url=False):
            name = str(details["loc"][0])
            cause = details.get("ctx", {}).get("error")
            yield f'{name}: {cause or "expected local or tollfree"}, got "{ascii(given[name])[1:-1]}"'
        return
    if item.region is None and item.kind == "local":
        yield f"region: no state is known for the area code of {item.did}; expected one"
    if item.region is not None and item.kind == "tollfree":
        yield "region: expected a state for a local number, and none for a tollfree one"
    if code and (code in TOLLFREE) != (item.kind == "tollfree"):
        yield f'kind: {item.did} is {"a" if code in TOLLFREE else "no"} toll-free number, got "{given["kind"]}"'
    if item.did in items:
        yield f"did: {item.did} is in this file twice"
    items[item.did] = item


def spelt_out(number: str) -> str:
    """`(212) 555-0101`, `212.555.0101` and `12125550101` as `+12125550101`; any other text stays as it is."""
    digits = number.translate(_PUNCTUATION)
    north_american = _NORTH_AMERICAN.fullmatch(digits)
    if north_american and not (digits.startswith("+") and not digits.startswith("+1")):
        return f"+1{north_american[1]}"
    return digits if PHONE_NUMBER.fullmatch(digits) else number


def _kind(text: str) -> str:
    """`toll-free` and `Toll Free` become tollfree; a text that is no kind stays as it is."""
    plain = text.casefold().translate(_PUNCTUATION).replace("_", "")
    return _KINDS.get(plain, text)


def _region(text: str) -> str:
    """`new york` and `ny` become NY; a text that is no state stays as it is."""
    return _STATES.get(text.casefold()) or (text.upper() if text.upper() in STATE_NAMES else text)
