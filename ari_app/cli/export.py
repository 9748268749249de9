"""`callrace export`: the marketplace in force, as a file in which `callrace plan` finds no change."""

from __future__ import annotations

import click

from ari_app.cli.common import site
from ari_app.cli.output import json_option, show_json
from ari_app.desk import documents
from ari_app.domain.document.reading import to_document
from ari_app.views.marketfile import to_yaml


@click.command(short_help="Write the marketplace in force as YAML.")
@json_option
def export(as_json: bool) -> None:
    """Write the marketplace in force to stdout, as YAML in which `callrace plan` finds no change.

    Defaults are left out, and comments are not kept. Staged terms whose start has passed are the campaign's terms.
    `file:` prompts stay as they were written, relative to the file: put the export where their audio files are found.

    \b
    Examples:
      callrace export > market.yaml
      callrace export | callrace plan -
    """
    version, marketplace = documents.exported(site())
    if as_json:
        show_json(to_document(marketplace, defaults=False))
        return
    click.echo(f"# Marketplace version {version}.")
    click.echo(to_yaml(marketplace), nl=False)
