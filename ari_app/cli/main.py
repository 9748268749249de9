"""The `callrace` command: its nouns, and how expected errors are printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import click

NOUNS = {
    "advertisers": "Add, see and remove advertisers: the buyers of calls.",
    "agents": "See the destinations that take calls; pause and resume them.",
    "agi": "Answer the dialplan, also while no switch is connected.",
    "applications": "Publishers' applications to campaigns: submit, approve, decline, suspend, reinstate.",
    "apply": "Put a marketplace in force, all of it or nothing.",
    "audit": "See who did what: each change of the marketplace, of numbers, applications, agents and money.",
    "calls": "Look at calls: a list, a record, an explanation, those under way.",
    "campaigns": "Create campaigns, change their fields, start, pause and end them.",
    "caps": "Look at caps: how many calls, or how much money, may still come.",
    "completion": "Print a shell's completion script.",
    "conversions": "Tell which calls became sales: a call with the clause `converted_within` is charged and paid by"
    " that.",
    "creatives": "Add, approve, reject and export creatives: the ads of campaigns.",
    "daily": "Do what is due once a day: give up on conversions that never came, delete recordings that are kept no"
    " longer, and lines of the outbox that nobody took in 30 days.",
    "db": "Bring the database to this version's tables, or see where it is.",
    "demo": "Place real calls through a real Asterisk and show what became of each, and of the money.",
    "destinations": "Add, see, move and remove destinations: agents' phones and buyers' places.",
    "disputes": "Open disputes about charges, and decide them.",
    "doctor": "Look for what keeps calls from being served, and tell the remedy.",
    "export": "Write the marketplace in force as YAML.",
    "flow": "Check IVR flows before they are applied.",
    "flows": "Add, see and remove IVR flows.",
    "invoices": "Issue invoices to advertisers, and look at them.",
    "keys": "Create, see and revoke the keys by which programs use the API.",
    "lab": "Start and stop an Asterisk, a switch, an AGI server and a web server on this machine.",
    "ledger": "Look at the money: balances, statements, deposits, adjustments, verification.",
    "live": "Watch calls as they come: races leg by leg, agents, the day's money.",
    "marketplace": "Begin a marketplace; then add to it by commands, or by `callrace apply`.",
    "numbers": "Look at tracking numbers; import, assign and release them.",
    "payouts": "Pay publishers what they earned, and look at what was paid.",
    "people": "See who can sign in on the web, invite and remove people.",
    "plan": "Show what an apply would change.",
    "privacy": "Forget callers.",
    "publishers": "Add, see and remove publishers: the producers of calls.",
    "qualify": "Look at what makes calls payable.",
    "recordings": "Look after recorded calls: two WAV files each, of the caller and of the agent, in HOME/recordings.",
    "reports": "Count calls, rates and money, and follow each number to its calls.",
    "route": "Ask where a call would go.",
    "spool": "Look after settled calls that the database has not taken yet.",
    "switch": "Run, and gracefully end, the program that takes the calls.",
    "visibility": "See what each party sees, widen it and narrow it.",
    "web": "Serve portals and API over HTTP.",
}
"""The nouns with their commands' first sentences, for `callrace --help`: to import all commands would be slow."""


class _Commands(Mapping[str, click.Command]):
    """The commands by noun. Each is imported only when it is needed, as to import all of them would be slow."""

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

    An argument that is not valid text is wrong usage: it could be neither saved nor printed.
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
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except _expected() as error:
            raise _refused(error) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        limit = formatter.width - 6 - max(map(len, NOUNS))
        said = {
            noun: click.Command(noun, help=help_).get_short_help_str(limit) for noun, help_ in NOUNS.items()
        }
        with formatter.section("Commands"):
            formatter.write_dl(list(said.items()))


def _expected() -> tuple[type[Exception], ...]:
    """The errors that are printed in one line. Their modules are imported only when an error occurs."""
    from ari_app.cli.expected import EXPECTED

    return EXPECTED


def _refused(error: Exception) -> click.ClickException:
    from ari_app.cli.common import Failed
    from ari_app.cli.remedies import told, wrong_usage
    from ari_app.desk import refused

    if isinstance(error, refused.Refused) and error.code is refused.Code.INVALID:
        return wrong_usage(error)
    return Failed(told(error))


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

    All files are written in CALLRACE_HOME (./var). Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
    Commands that read take --json.
    """


if __name__ == "__main__":
    main()
