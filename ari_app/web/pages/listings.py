"""Lists that need no form: a table of what is theirs, in one template, and as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response

from ari_app.web.api.own import campaigns_of
from ari_app.web.pages.tables import Column, Table, Thing, csv, table
from ari_app.web.pages.viewing import show
from ari_app.web.who import Asked


def theirs(
    asked: Asked,
    noun: str,
    title: str,
    columns: Sequence[Column],
    things: Iterable[Thing],
    *,
    newest_first: bool = False,
) -> Table:
    """The table of those of the things that are the asker's, as they see them. `things`: as the operator is told."""
    shown = asked.lens.listed(noun, things, campaigns_of(asked))
    return table(asked.lens, noun, title, columns, reversed(shown) if newest_first else shown)


def page_of(asked: Asked, place: str, found: Table, template: str = "list.html", **values: Any) -> Response:
    """The page of a list: one of the navigation's places; with `?as_=csv` the list as a file."""
    if asked.request.query_params.get("as_") == "csv":
        return csv(found, place)
    return show(asked, template, table=found, place=place, **values)
