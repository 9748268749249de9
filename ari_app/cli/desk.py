"""Changes to the marketplace in force, by commands: what the desk's nouns share.

The document in force is the one truth. A command reads it, changes it, and applies it, checked as a file is
that `callrace apply` reads. A change that somebody else makes meanwhile is never lost: it is begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml
from sqlalchemy import Engine

from ari_app.cli.apply import tell
from ari_app.cli.common import Refused, database, marketplace_in_force, now_ms
from ari_app.cli.output import json_option, show_json, show_table
from ari_app.cli.plan import trunks
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.document.applied import Applied
from ari_app.domain.document.reading import accept, to_document
from ari_app.domain.document.world import World
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.market.marketplace import Creative
from ari_app.domain.market.staging import in_force
from ari_app.media import creatives, prompts
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.db.errors import MarketplaceMoved
from ari_app.store.market import marketplaces
from ari_app.store.market.marketplaces import Loaded

TRIES = 5

Document = dict[str, Any]


def amend(change: Callable[[Document], None], as_json: bool, base: Path = Path()) -> None:
    """Makes the change to the document in force, applies it, and tells what changed.

    Files that the change names are relative to `base`. Raises Refused, DocumentError, StoreError.
    """
    settings, engine = Settings.from_env(), database()
    for tries_left in reversed(range(TRIES)):
        loaded = marketplace_in_force(engine)
        document = to_document(loaded.marketplace, defaults=False)
        change(document)
        try:
            applied, made = _apply(settings, engine, document, base, loaded)
        except MarketplaceMoved:
            if not tries_left:
                raise
            click.echo("the marketplace changed meanwhile; trying again", err=True)
        else:
            tell(settings, engine, applied, made, as_json)
            return


def begin(currency: str, as_json: bool) -> None:
    """Puts a marketplace in force that has nothing but a currency. Raises Refused when there is one."""
    settings, engine = Settings.from_env(), database()
    if marketplaces.load(engine) is not None:
        raise Refused("there is a marketplace in force already; see `callrace export`")
    parts = ("advertisers", "publishers", "destinations", "campaigns", "numbers")
    document: Document = {"currency": currency} | {part: {} for part in parts}
    applied, made = _apply(settings, engine, document, Path(), None)
    tell(settings, engine, applied, made, as_json)


def _apply(
    settings: Settings, engine: Engine, document: Document, base: Path, loaded: Loaded | None
) -> tuple[Applied, list[str]]:
    """Applies the document in place of what is loaded. What was good there is not looked at again."""
    known_prompts = prompts_of(loaded.marketplace) if loaded else set[str]()
    known_creatives = set(loaded.marketplace.creatives.values()) if loaded else set[Creative]()
    complain = prompts.checker(base, partial(prompts.installed_sounds, settings))
    complain_of_image = creatives.checker(base, settings.creatives)

    def image_complaint(creative: Creative) -> str | None:
        return None if creative in known_creatives else complain_of_image(creative)

    world = World(
        prompts=lambda prompt: None if prompt in known_prompts else complain(prompt),
        trunks=trunks(settings),
        images=image_complaint,
        geography=geography.load(settings.home),
    )
    marketplace = creatives.pinned(accept(document, world), base)
    made = prompts.prepare(prompts_of(marketplace) - known_prompts, base, settings.prompts)
    new = {name: one for name, one in marketplace.creatives.items() if one not in known_creatives}
    creatives.keep(new, base, settings.creatives)
    version = loaded.version if loaded else 0
    return marketplaces.apply(engine, marketplace, now_ms(), based_on=version), made


# Changes that the nouns make


def given(**fields: Any) -> Document:
    """The fields that were given: neither None, nor empty."""
    return {name: value for name, value in fields.items() if value is not None and value not in ((), [], {})}


def add(document: Document, part: str, what: str, name: str, entry: Document) -> None:
    """Adds an entry to a part of the document. Raises Refused when there is one of that name."""
    entries = document.setdefault(part, {})
    if name in entries:
        raise Refused(f"there is a {what} {name} already; see `callrace {part} show {name}`")
    entries[name] = entry


def entry_of(document: Document, part: str, what: str, name: str) -> Document:
    """An entry of a part of the document. Raises Refused when there is none."""
    entries = document.get(part, {})
    if name not in entries:
        raise Refused(f"there is no {what} {name}; see `callrace {part} list`")
    entry: Document = entries[name]
    return entry


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str] | None:
    """An option's value that is a list, with commas between."""
    return None if value is None else [name.strip() for name in value.split(",")]


# Commands that every noun has


def add_common_commands(
    group: click.Group, part: str, what: str, example: str, columns: Sequence[str]
) -> None:
    """Gives a noun its `list`, `show` and `remove`. `columns` are the fields that its list shows."""

    @group.command("list", help=f"List the {part}.\n\n\b\nExample:\n  callrace {part} list --json")
    @json_option
    def list_(as_json: bool) -> None:
        entries = _in_force(part)
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
        entry = entry_of({part: _in_force(part)}, part, what, name)
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
        def change(document: Document) -> None:
            entry_of(document, part, what, name)
            del document[part][name]

        try:
            amend(change, as_json)
        except DocumentError as error:
            raise Refused(f"{what} {name} is needed by what would be left:\n{error}") from error


def _in_force(part: str) -> Document:
    marketplace = in_force(marketplace_in_force(database()).marketplace, now_ms())
    entries: Document = to_document(marketplace)[part]
    return entries


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
