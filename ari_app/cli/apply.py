"""`callrace apply`: puts a marketplace in force, all of it or nothing."""

from __future__ import annotations

import time
from typing import TextIO

import click
from sqlalchemy import Engine

from ari_app.cli.common import Refused, database, now_ms
from ari_app.cli.output import json_option, show_json
from ari_app.cli.plan import read_proposal, show
from ari_app.domain.caps.outlook import outlook
from ari_app.domain.document.applied import Applied
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.media import creatives, prompts
from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from ari_app.views.applied import applied_json

TAKE_OVER_S = 5.0
_POLL_S = 0.05


@click.command(short_help="Put a marketplace in force, all of it or nothing.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@json_option
def apply(file: TextIO, as_json: bool) -> None:
    """Put the marketplace in FILE (YAML; - is stdin) in force, all of it or nothing.

    Mistakes are named with their line. Prompts are checked; text is rendered to audio. What changes is
    told as `callrace plan` shows it beforehand. A running switch takes the new version over before this
    returns; calls under way keep what they began with, also destinations that are removed.

    \b
    Examples:
      callrace plan market.yaml && callrace apply market.yaml
      generate-marketplace | callrace apply -
    """
    settings = Settings.from_env()
    engine = database()
    proposal = read_proposal(file, settings)
    made = prompts.prepare(prompts_of(proposal.marketplace), proposal.base, settings.prompts)
    creatives.keep(proposal.marketplace.creatives, proposal.base, settings.creatives)
    applied = marketplaces.apply(engine, proposal.marketplace, now_ms())
    tell(settings, engine, applied, made, as_json)


def tell(settings: Settings, engine: Engine, applied: Applied, made: list[str], as_json: bool) -> None:
    """Waits for a running switch to have what was applied, and prints it."""
    short = outlook(applied.marketplace, ledger.available(engine), now_ms())
    taken_over = _wait_for_switch(settings, applied.version)
    if as_json:
        show_json(
            applied_json(applied, made, short) | {"switch": "in force" if taken_over else "not running"}
        )
        return
    show(applied, made, short, "applied")
    if taken_over:
        click.echo("in force in the running switch")
    else:
        click.echo("no switch is running; `callrace lab up` starts one")


def _wait_for_switch(settings: Settings, version: int) -> bool:
    """Waits until the running switch has this version or a later one; False when none is running."""
    until = time.monotonic() + TAKE_OVER_S
    while True:
        try:
            status = running.ask(settings, "/status")
        except running.SwitchNotRunning:
            return False
        if (status["marketplace_version"] or 0) >= version:
            return True
        if status.get("unreadable_marketplace"):  # a switch older than this command has no such field
            raise Refused(
                f"version {version} is applied, but the running switch goes on with "
                f"{status['marketplace_version']}: {status['unreadable_marketplace']}; replace it by "
                "`callrace switch hand-over && callrace lab up`"
            )
        if time.monotonic() > until:
            raise Refused(
                f"version {version} is applied, but the running switch has not taken it over within "
                f"{TAKE_OVER_S:g} s; see {running.log_file(settings)}"
            )
        time.sleep(_POLL_S)
