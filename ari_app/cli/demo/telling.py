"""The texts that the demo prints."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from ari_app.cli.output import show_listings, show_title
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.balances import Balances
from ari_app.lab.demo.scenarios import Scenario
from ari_app.lab.demo.story import accounts
from ari_app.views.words import tenths


class Steps:
    """The demo's steps: each is printed when it begins, with the seconds since the demo began."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def tell(self, text: str) -> None:
        """Prints a step."""
        click.echo(f"[{tenths(int(1000 * self.elapsed_s())):>4} s] {text}")

    def elapsed_s(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started


def tell_opening(file: str) -> None:
    """Prints what the demo will show."""
    show_title("Callrace: pay-per-call on a real Asterisk")
    click.echo(
        f"The marketplace is {file}. The callers and the agents' phones are SIPp processes on this\n"
        "machine; their calls, keys and voices go through Asterisk as anybody's would."
    )
    click.echo()


def tell_verdict(wrong: Sequence[str]) -> None:
    """Prints whether a call ended as expected."""
    click.echo()
    if wrong:
        click.echo(click.style("NOT as expected:", fg="red"))
        for line in wrong:
            click.echo(f"  - {line}")
    else:
        click.echo(click.style("As expected.", fg="green"))


def tell_balances(balances: Balances, balanced: bool) -> None:
    """Prints the balances at the end."""
    show_listings([accounts(balances)])
    click.echo(
        "The sum is zero, and every transfer agrees with its call." if balanced else "It does not add up."
    )


def tell_ending(report: Path, calls: Sequence[tuple[Scenario, CallRecord]]) -> None:
    """Prints where to read more."""
    click.echo()
    show_title("=== Look further ===")
    click.echo(f"All of it as JSON: {_short(report)}")
    click.echo("Why each call went where it went, and was or was not paid:")
    for scenario, record in calls:
        click.echo(f"  {sys.argv[0]} calls explain {record.id}  # {scenario.name}")


def _short(path: Path) -> str:
    """The path, relative to the present folder if it is in it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
