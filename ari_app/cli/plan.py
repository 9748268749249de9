"""`callrace plan`: what an apply would change. What it reads and how it tells it, apply does alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

import click

from ari_app.ari.errors import AriError
from ari_app.cli.common import database, now_ms, text_of
from ari_app.cli.output import json_option, show_json
from ari_app.domain.caps.outlook import Shortage, outlook
from ari_app.domain.document.applied import Applied
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.market.marketplace import Marketplace
from ari_app.media import asterisk, creatives, prompts
from ari_app.settings import Settings, SettingsError
from ari_app.store import geography
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from ari_app.views.applied import applied_json, applied_lines


@click.command(short_help="Show what an apply would change.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--check", is_flag=True, help="Exit with 1 when there is anything to change.")
@json_option
def plan(file: TextIO, check: bool, as_json: bool) -> None:
    """Show what `callrace apply FILE` would change, and change nothing.

    FILE (YAML; - is stdin) is checked as apply checks it. Each object that differs from the marketplace
    in force is named with its fields, before and after; terms with the version they would get; prompts
    that would be rendered or copied. An advertiser or publisher that is taken out keeps its account: what it
    is owed and owes is told. Calls under way keep what they began with, also destinations that an apply
    removes. A warning tells of caps and funds that have room for none of a campaign's calls, or for
    fewer at once than its agents could take: a call reserves the most that it can cost.

    \b
    Examples:
      callrace plan market.yaml
      callrace export | callrace plan -
      callrace plan --check market.yaml || echo "not applied yet"
    """
    settings = Settings.from_env()
    engine = database()
    proposal = read_proposal(file, settings)
    planned = marketplaces.plan(engine, proposal.marketplace, now_ms())
    to_make = prompts.unready(prompts_of(proposal.marketplace), proposal.base, settings.prompts)
    short = outlook(planned.marketplace, ledger.available(engine), now_ms())
    if as_json:
        show_json(applied_json(planned, to_make, short))
    else:
        show(planned, to_make, short, "would be applied")
    if check and (planned.changes or to_make):
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A marketplace that could be applied; its `file:` prompts and its images are relative to `base`."""

    marketplace: Marketplace
    base: Path


def read_proposal(file: TextIO, settings: Settings) -> Proposal:
    """The marketplace in the file, checked against everything there is. Raises DocumentError, Refused."""
    base = Path() if file.name in ("-", "<stdin>") else Path(file.name).parent
    marketplace = parse(
        text_of(file),
        file.name,
        prompts=prompts.checker(base, partial(prompts.installed_sounds, settings)),
        trunks=trunks(settings),
        images=creatives.checker(base, settings.creatives),
        geography=geography.load(settings.home),
    )
    return Proposal(creatives.pinned(marketplace, base), base)


def show(applied: Applied, made: list[str], short: list[Shortage], verb: str) -> None:
    """Prints the version with what is (to be) done with it, every change, and what lets few calls through."""
    if applied.changes:
        click.echo(f"marketplace version {applied.version} {verb}:")
    else:
        click.echo(f"nothing to change: marketplace version {applied.version} says the same")
    for line in applied_lines(applied, made, short):
        click.echo(line)


def trunks(settings: Settings) -> list[str] | None:
    """Asterisk's PJSIP endpoints; None, for not checked, when Asterisk is not there to be asked."""
    try:
        endpoints = asterisk.ask(settings, lambda client: client.endpoints.list())
    except (AriError, SettingsError):
        return None
    return [endpoint["resource"] for endpoint in endpoints if endpoint["technology"] == "PJSIP"]
