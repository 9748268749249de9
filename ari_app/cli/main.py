"""The `callrace` command: its nouns, and how what is expected to go wrong is told."""

from __future__ import annotations

from typing import Any

import click

from ari_app.ari.errors import AriError
from ari_app.cli.advertisers import advertisers
from ari_app.cli.agents import agents
from ari_app.cli.agi import agi
from ari_app.cli.applications import applications
from ari_app.cli.apply import apply
from ari_app.cli.calls import calls
from ari_app.cli.campaigns import campaigns
from ari_app.cli.caps import caps
from ari_app.cli.common import Refused
from ari_app.cli.completion import completion
from ari_app.cli.creatives import creatives
from ari_app.cli.db import db
from ari_app.cli.demo import demo
from ari_app.cli.destinations import destinations
from ari_app.cli.disputes import disputes
from ari_app.cli.doctor import doctor
from ari_app.cli.export import export
from ari_app.cli.flow import flow
from ari_app.cli.flows import flows
from ari_app.cli.invoices import invoices
from ari_app.cli.lab import lab
from ari_app.cli.ledger import ledger
from ari_app.cli.live import live
from ari_app.cli.marketplace import marketplace
from ari_app.cli.numbers import numbers
from ari_app.cli.payouts import payouts
from ari_app.cli.plan import plan
from ari_app.cli.privacy import privacy
from ari_app.cli.publishers import publishers
from ari_app.cli.qualify import qualify
from ari_app.cli.recordings import recordings
from ari_app.cli.reports import reports
from ari_app.cli.route import route
from ari_app.cli.spool import spool
from ari_app.cli.switch import switch
from ari_app.domain.bills import BillError
from ari_app.domain.corrections import CannotCorrect
from ari_app.domain.disputes import DisputeError
from ari_app.domain.document import DocumentError
from ari_app.ops.creatives import CreativeError
from ari_app.ops.prompts import PromptError
from ari_app.ops.running import SwitchError
from ari_app.ops.sipp import NotSeen, SippFailed
from ari_app.settings import SettingsError
from ari_app.store.errors import StoreError
from ari_app.store.geography import GeographyError

EXPECTED = (
    AriError,
    BillError,
    CannotCorrect,
    CreativeError,
    DisputeError,
    DocumentError,
    GeographyError,
    NotSeen,
    PromptError,
    SettingsError,
    SippFailed,
    StoreError,
    SwitchError,
)


class _Commands(click.Group):
    """A group in which every expected error is one clear line on stderr and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            raise Refused(str(error)) from error


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=_Commands, context_settings=_CONTEXT)
@click.version_option(package_name="callrace")
def main() -> None:
    """A pay-per-call exchange on a self-hosted Asterisk.

    \b
    To begin:
      callrace lab up                    start Asterisk and a switch on this machine
      callrace apply config/demo.yaml    put a marketplace in force, or build one:
      callrace marketplace init          then advertisers, publishers, destinations, flows, campaigns
      callrace live                      watch calls as they come
      callrace calls list                see what happened
      callrace calls explain ID          and why

    Everything that is written is in CALLRACE_HOME (./var). Exit codes: 0 done, 1 refused or failed,
    2 wrong usage. Commands that read take --json.
    """


for command in (
    advertisers,
    agents,
    agi,
    applications,
    apply,
    calls,
    campaigns,
    caps,
    completion,
    creatives,
    db,
    demo,
    destinations,
    disputes,
    doctor,
    export,
    flow,
    flows,
    invoices,
    lab,
    ledger,
    live,
    marketplace,
    numbers,
    payouts,
    plan,
    privacy,
    publishers,
    qualify,
    recordings,
    reports,
    route,
    spool,
    switch,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
