"""`callrace flow`: checks IVR flows before they are applied."""

from __future__ import annotations

from typing import TextIO

import click

from ari_app.cli.output import json_option, show_json, show_title
from ari_app.cli.plan import document_in
from ari_app.desk import flows as desk
from ari_app.domain.basics.durations import format_duration
from ari_app.domain.document.reading import to_document
from ari_app.settings import Settings
from ari_app.views.flowtree import tree


@click.group()
def flow() -> None:
    """Check IVR flows before they are applied."""


@flow.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@json_option
def check(file: TextIO, as_json: bool) -> None:
    """Check the marketplace in FILE and show its flows as trees. Nothing is applied.

    Every mistake is a line with file, line and what was expected. Asterisk's own sounds are not
    checked here; `callrace apply` does.

    \b
    Example:
      callrace flow check market.yaml
    """
    marketplace = desk.check(Settings.from_env(), *document_in(file))
    if as_json:
        show_json({"file": file.name, "flows": to_document(marketplace).get("flows", {})})
        return
    for name, found in marketplace.flows.items():
        users = [id_ for id_, campaign in marketplace.campaigns.items() if campaign.flow == name]
        show_title(f"{name} (used by {', '.join(users) or 'no campaign'})")
        for line in tree(found):
            click.echo(f"  {line}")
        click.echo(f"  after {format_duration(found.longest)}, wherever the caller is -> hang up")
    parts = ("flows", "campaigns", "destinations", "numbers")
    counts = (f"{part} {len(getattr(marketplace, part))}" for part in parts)
    click.echo(f"{file.name} is good ({', '.join(counts)})")
