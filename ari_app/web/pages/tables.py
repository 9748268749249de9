"""Tables of things as their party sees them: a column that the party does not see is not there; and the same as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Literal

from starlette.responses import Response

from ari_app.access.fields import FIELDS
from ari_app.access.lens import Lens
from ari_app.access.sights import Sight
from ari_app.views.csvtext import write_csv
from ari_app.views.sections import listed
from ari_app.web.messages import text

Kind = Literal["text", "short", "number", "amount", "time", "state", "call"]
Thing = Mapping[str, Any]


class Seen(dict[str, Any]):
    """A thing as its party sees it, for a template: a field that is hidden from it is None, at any depth."""

    def __missing__(self, name: str) -> None:
        return None

    @classmethod
    def of(cls, value: Any) -> Any:
        """The thing, the list of things, or the value as it is."""
        if isinstance(value, Mapping):
            return cls({name: cls.of(inner) for name, inner in value.items()})
        return [cls.of(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field that it has, by its path in the JSON; how it looks; the page that a cell leads to; a unit."""

    name: str
    field: str
    kind: Kind = "short"
    path: str | None = None
    unit: str = ""

    @property
    def heading(self) -> str:
        """What stands above it."""
        said = text(f"column.{self.name}")
        return f"{said}, {self.unit}" if self.unit else said


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one thing, by column, and the thing itself."""

    columns: Sequence[Column]
    cells: Sequence[object]
    thing: Thing

    def __iter__(self) -> Iterator[tuple[Column, object]]:
        return iter(zip(self.columns, self.cells, strict=True))


@dataclass(frozen=True, slots=True)
class Table:
    """A table under a title."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]


def table(
    lens: Lens, noun: str, title: str, columns: Sequence[Column], shown: Iterable[Thing], *, within: str = ""
) -> Table:
    """The table of things of one noun, each as the party sees it (`Lens.shown`); `title` is a message.

    `within`: where in the noun the things are, such as `legs[].` of a Call.
    """
    seen = [column for column in columns if sees_field(lens, noun, column.field, within)]
    fields = {column.field: column.field for column in seen}
    things = list(shown)
    flat = [{field: _at(thing, field) for field in fields} for thing in things]
    _, rows = listed(fields, flat)
    return Table(
        text(title), seen, [Row(seen, cells, Seen.of(one)) for cells, one in zip(rows, things, strict=True)]
    )


def sees_field(lens: Lens, noun: str, field: str, within: str = "") -> bool:
    """Whether a party sees anything of a field; what is made up by us (it begins with `_`) everybody does."""
    if lens.party.kind == "operator" or field.startswith("_"):
        return True
    topic = FIELDS.get(noun, {}).get(f"{within}{field}")
    return topic is not None and lens.sight(topic) is not Sight.HIDDEN


def csv(found: Table, name: str) -> Response:
    """The table as a file."""
    file = StringIO()
    write_csv(file, [column.heading for column in found.columns], [row.cells for row in found.rows])
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(file.getvalue(), 200, headers, "text/csv; charset=utf-8")


def _at(thing: Thing, path: str) -> object:
    found: Any = thing
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found
