"""`callrace plan`: what an apply would change. `callrace apply` reads and prints in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from ari_app.cli.common import site, text_of
from ari_app.cli.output import json_option, show_json
from ari_app.desk import marketplaces
from ari_app.desk.marketplaces import Changed
from ari_app.views.applied import applied_json, applied_lines


@click.command(short_help="Show what an apply would change.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--check", is_flag=True, help="Exit with 1 when there is anything to change.")
@json_option
def plan(file: TextIO, check: bool, as_json: bool) -> None:
    """Show what `callrace apply FILE` would change, and change nothing.

    FILE (YAML; - is stdin) is checked as apply checks it. Each object that differs from the marketplace in force is
    shown with its fields, before and after; terms with the version that they would get; and prompts that would be
    rendered or copied. An advertiser or publisher that is removed keeps its account, and its balance is shown. Calls
    under way keep what they began with, even destinations that are removed. There are warnings for caps and funds
    that have no room for a campaign's calls, or for fewer calls at once than its agents could take: a call reserves the
    most that it can cost. Other warnings are for hours and time zones that are probably not intended, such as
    00:00-23:59 or EST.

    \b
    Examples:
      callrace plan market.yaml
      callrace export | callrace plan -
      callrace plan --check market.yaml || echo "not applied yet"
    """
    planned = marketplaces.plan(site(), *document_in(file))
    if as_json:
        show_json(applied_json(planned.applied, planned.prompts, planned.shortages, planned.remarks))
    else:
        show(planned, "would be applied")
    if check and (planned.applied.changes or planned.prompts):
        raise click.exceptions.Exit(1)


def document_in(file: TextIO) -> tuple[str, str, Path]:
    """A document's text, its file's name, and the folder to which the paths in it are relative. Raises Failed."""
    base = Path() if file.name in ("-", "<stdin>") else Path(file.name).parent
    return text_of(file), file.name, base


def show(changed: Changed, verb: str) -> None:
    """Prints the version with `verb` (what is, or would be, done with it), every change, and the warnings."""
    applied = changed.applied
    if applied.changes:
        click.echo(f"marketplace version {applied.version} {verb}:")
    else:
        click.echo(f"nothing to change: marketplace version {applied.version} says the same")
    for line in applied_lines(applied, changed.prompts, changed.shortages, changed.remarks):
        click.echo(line)
