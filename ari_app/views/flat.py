"""JSON objects as rows: a column for each field, named by its path, so that CSV says what JSON says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from ari_app.views.csvtext import write_csv


def write_flat(file: IO[str], things: Sequence[Mapping[str, Any]]) -> None:
    """Writes objects as CSV: `money.net_charged` is a column; a list is JSON in its cell."""
    rows = [dict(_cells(thing)) for thing in things]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    write_csv(file, columns, ([row.get(name) for name in columns] for row in rows))


def _cells(thing: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, object]]:
    for name, value in thing.items():
        if isinstance(value, Mapping) and value:
            yield from _cells(value, f"{path}{name}.")
        elif isinstance(value, bool):
            yield f"{path}{name}", "true" if value else "false"
        elif isinstance(value, list | Mapping):
            yield f"{path}{name}", json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        else:
            yield f"{path}{name}", value
