"""The common part of commands that change the marketplace: `list`, `show`, `remove`, and how a change is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import yaml

from ari_app.access.actor import Actor
from ari_app.cli.apply import show_change
from ari_app.cli.common import acting, site
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.desk import documents
from ari_app.desk.documents import Document, Part
from ari_app.desk.marketplaces import Changed
from ari_app.desk.site import Site


def change(make: Callable[[Site, Actor], Changed], as_json: bool) -> None:
    """Makes a change as the operator who runs the command, and prints what changed."""
    asked = site()
    show_change(asked.settings, make(asked, acting()), as_json)


def given(**fields: Any) -> Document:
    """The fields that were given: not None, and not empty."""
    return {name: value for name, value in fields.items() if value is not None and value not in ((), [], {})}


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str] | None:
    """An option's value that is a list, separated by commas."""
    return None if value is None else [name.strip() for name in value.split(",")]


# Commands of every noun


def add_common_commands(
    group: click.Group, part: Part, what: str, example: str, columns: Sequence[str]
) -> None:
    """Adds the commands `list`, `show` and `remove` to a noun. `columns` are the fields that its list shows."""

    @group.command("list", help=f"List the {part}.\n\n\b\nExample:\n  callrace {part} list --json")
    @json_option
    def list_(as_json: bool) -> None:
        entries = documents.listed(site(), part)
        if as_json:
            show_json([{"id": name, **entry} for name, entry in entries.items()])
        elif not entries:
            click.echo(f"no {part}")
        else:
            rows = [
                (name, *(_cell(entry.get(field)) for field in columns)) for name, entry in entries.items()
            ]
            show_table((what, *columns), rows)

    @group.command(
        help=f"Show all that one {what} says, with its defaults.\n\n\b\n"
        f"Examples:\n  callrace {part} show {example}\n  callrace {part} show {example} --json"
    )
    @click.argument("name", metavar="ID")
    @json_option
    def show(name: str, as_json: bool) -> None:
        entry = documents.shown(site(), part, name)
        if as_json:
            show_json({"id": name, **entry})
        else:
            click.echo(yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True), nl=False)

    @group.command(
        help=f"Remove the {what} ID from the marketplace in force.\n\n"
        "Refused, saying by whom, when something there still needs it. Calls under way, records and money "
        f"are kept.\n\n\b\nExample:\n  callrace {part} remove {example}"
    )
    @click.argument("name", metavar="ID")
    @json_option
    def remove(name: str, as_json: bool) -> None:
        change(lambda site, actor: documents.remove(site, actor, part, name), as_json)


def _cell(value: Any) -> object:
    match value:
        case Mapping():
            return "; ".join(
                f"{name} {_cell(inner)}" for name, inner in value.items() if inner not in ([], False)
            )
        case list():
            return ", ".join(map(str, value))
        case float():
            return f"{value:g}"
        case _:
            return value
