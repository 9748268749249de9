"""`callrace flows`: the IVR flows of the marketplace in force."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click

from ari_app.cli.common import Failed, text_of
from ari_app.cli.desk import add_common_commands, change
from ari_app.cli.output import json_option
from ari_app.desk import flows as desk
from ari_app.domain.basics.yamltext import YamlError, read


@click.group()
def flows() -> None:
    """Add, see and remove IVR flows. `callrace flow check` shows those of a file as trees."""


@flows.command("add")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@json_option
def add_(file: TextIO, as_json: bool) -> None:
    """Add the flows in FILE (YAML, flows by their ids; - is stdin) to the marketplace in force.

    FILE has the same content as `flows:` in a marketplace. A flow whose id exists already is replaced, and the
    differences are printed. Audio files (`file:`) are relative to FILE.

    \b
    Example:
      callrace flows add intake.yaml
    """
    try:
        found, complaints = read(text_of(file))
    except YamlError as error:
        raise Failed(f"{file.name}:{error.line}: {error}") from error
    if complaints:
        raise Failed(f"{file.name}:{complaints[0].line}: {complaints[0].message}")
    if not isinstance(found, dict) or not found:
        raise Failed(f"{file.name}: expected flows by their ids, such as `intake: {{start: …, nodes: …}}`")

    base = Path(file.name).parent
    change(lambda site, actor: desk.put(site, actor, found, base), as_json)


add_common_commands(flows, "flows", "flow", "intake", ("start",))
