"""The `callrace` command: its nouns, and how what is expected to go wrong is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import click

from ari_app.ari.errors import AriError
from ari_app.cli.common import Refused
from ari_app.cli.remedies import told
from ari_app.desk import refused
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.ledger.bills import BillError
from ari_app.domain.ledger.corrections import CannotCorrect
from ari_app.domain.ledger.disputes import DisputeError
from ari_app.domain.ledger.refunds import CannotRefund
from ari_app.lab.sipp import NotSeen, SippFailed
from ari_app.media.creatives import CreativeError
from ari_app.media.prompts import PromptError
from ari_app.serving.running import SwitchError
from ari_app.settings import SettingsError
from ari_app.store.db.errors import StoreError
from ari_app.store.geography import GeographyError

EXPECTED = (
    AriError,
    BillError,
    CannotCorrect,
    CannotRefund,
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
    refused.Refused,
)


NOUNS = (
    "advertisers",
    "agents",
    "agi",
    "applications",
    "apply",
    "audit",
    "calls",
    "campaigns",
    "caps",
    "completion",
    "conversions",
    "creatives",
    "daily",
    "db",
    "demo",
    "destinations",
    "disputes",
    "doctor",
    "export",
    "flow",
    "flows",
    "invoices",
    "lab",
    "ledger",
    "live",
    "marketplace",
    "numbers",
    "payouts",
    "plan",
    "privacy",
    "publishers",
    "qualify",
    "recordings",
    "reports",
    "route",
    "spool",
    "switch",
)


class _Commands(Mapping[str, click.Command]):
    """The commands by noun, each imported when it is asked for: all together take longer than most of them do."""

    def __iter__(self) -> Iterator[str]:
        return iter(NOUNS)

    def __len__(self) -> int:
        return len(NOUNS)

    def __getitem__(self, noun: str) -> click.Command:
        if noun not in NOUNS:
            raise KeyError(noun)
        command: click.Command = getattr(import_module(f"ari_app.cli.{noun}"), noun)
        return command


class _Callrace(click.Group):
    """A group in which every expected error is one clear line on stderr and exit code 1.

    A word that is no text is wrong usage: it could be neither kept nor shown.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for word in args:
            try:
                word.encode()
            except UnicodeEncodeError as error:
                raise click.UsageError(f"{word!a} is not UTF-8 text", ctx) from error
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            raise Refused(told(error)) from error


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=_Callrace, commands=_Commands(), context_settings=_CONTEXT)
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


if __name__ == "__main__":
    main()
