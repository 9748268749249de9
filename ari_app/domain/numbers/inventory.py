"""The numbers that can be handed out: what a file of them says, and which of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass as plain
from functools import partial
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ari_app.domain.basics import csvimport
from ari_app.domain.basics.fields import E164, Id, StateCode

Kind = Literal["local", "tollfree"]
Status = Literal["assigned", "free", "quarantined"]
COLUMNS = ("did", "kind", "region", "trunk")


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Item:
    """A number, its kind, the state of a local one, and the trunk that its calls come by."""

    did: E164
    kind: Kind
    region: StateCode | None
    trunk: Id


@plain(frozen=True, slots=True)
class Wanted:
    """Which number is asked for; None: any. A number of a state is a local one."""

    did: str | None = None
    kind: Kind | None = None
    region: str | None = None

    def __str__(self) -> str:
        """`in NY`, `tollfree`, or nothing."""
        return f"in {self.region}" if self.region else self.kind or ""


_ITEM = TypeAdapter(Item)


def parse(text: str, file: str) -> list[Item]:
    """The numbers of a CSV text with the columns did, kind, region and trunk, in any order.

    Raises DocumentError, with the line of each mistake; then none of it is used.
    """
    items: dict[str, Item] = {}
    csvimport.read(text, file, COLUMNS, partial(_take, items))
    return list(items.values())


def _take(items: dict[str, Item], values: dict[str, str]) -> Iterator[str]:
    """Adds the row's number; or says what is wrong with it."""
    try:
        item = _ITEM.validate_python(values | {"region": values["region"] or None})
    except ValidationError as error:
        for details in error.errors(include_url=False):
            name = str(details["loc"][0])
            cause = details.get("ctx", {}).get("error")
            yield f'{name}: {cause or "expected local or tollfree"}, got "{ascii(values[name])[1:-1]}"'
        return
    if (item.kind == "local") != (item.region is not None):
        yield "region: expected a state for a local number, and none for a tollfree one"
    if item.did in items:
        yield f"did: {item.did} is in this file twice"
    items[item.did] = item
