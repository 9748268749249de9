"""`callrace apply`: puts a marketplace in force, all of it or nothing."""

from __future__ import annotations

from typing import TextIO

import click

from ari_app.cli.common import acting, site
from ari_app.cli.output import json_option, show_json
from ari_app.cli.plan import document_in, show
from ari_app.desk import marketplaces
from ari_app.desk.marketplaces import Changed
from ari_app.desk.takeover import wait_for_switch
from ari_app.settings import Settings
from ari_app.views.applied import applied_json


@click.command(short_help="Put a marketplace in force, all of it or nothing.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@json_option
def apply(file: TextIO, as_json: bool) -> None:
    """Put the marketplace in FILE (YAML; - is stdin) in force, all of it or nothing.

    Mistakes are shown with their line. Prompts are checked; text is rendered to audio. The changes are printed
    as `callrace plan` shows them beforehand. A running switch uses the new version before this returns.
    Calls under way keep what they began with, even destinations that are removed.

    \b
    Examples:
      callrace plan market.yaml && callrace apply market.yaml
      generate-marketplace | callrace apply -
    """
    asked = site()
    show_change(asked.settings, marketplaces.apply(asked, acting(), *document_in(file)), as_json)


def show_change(settings: Settings, changed: Changed, as_json: bool) -> None:
    """Waits until a running switch uses what was applied, then prints the changes."""
    for _ in range(changed.retries):
        click.echo("the marketplace changed meanwhile; trying again", err=True)
    taken_over = wait_for_switch(settings, changed.applied.version)
    if as_json:
        told = applied_json(changed.applied, changed.prompts, changed.shortages, changed.remarks)
        show_json(told | {"switch": "in force" if taken_over else "not running"})
        return
    show(changed, "applied")
    if taken_over:
        click.echo("in force in the running switch")
    else:
        click.echo("no switch is running; `callrace lab up` starts one")
