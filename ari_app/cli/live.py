"""`callrace live`: a board with the calls under way, on the full screen."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import datetime

import click
from rich.console import Console
from rich.live import Live

from ari_app.cli.board import board
from ari_app.cli.common import site
from ari_app.cli.output import json_option, show_json, show_table, show_title
from ari_app.cli.remedies import told
from ari_app.desk import live as desk
from ari_app.desk.site import Site
from ari_app.domain.reports.now import View
from ari_app.domain.reports.today import Sums
from ari_app.serving import running
from ari_app.views.board import (
    agent_rows,
    board_json,
    leg_text,
    phases_text,
    state_text,
    today_text,
    trunk_lines,
)

REFRESH_S = 0.25
TODAY_EVERY_S = 5.0


@click.command()
@json_option
def live(as_json: bool) -> None:
    """Watch calls as they come: races leg by leg, agents, the day's money.

    Needs a running switch. On a terminal it fills the screen until Ctrl-C; in a pipe it prints once.
    The day begins at midnight in this machine's time zone. Its money is what has moved since then, net of
    corrections, also for calls that began earlier.

    \b
    Examples:
      callrace live
      callrace live --json | jq '.calls[].legs'
    """
    asked = site()
    if as_json:
        show_json(board_json(desk.view(asked, _today(asked))))
    elif Console().is_terminal:
        _watch(asked)
    else:
        _print(desk.view(asked, _today(asked)))


def _today(asked: Site) -> list[Sums] | None:
    """The day's sums; None when the database does not answer."""
    return desk.sums_since(asked, _midnight())


def _midnight() -> int:
    """The last midnight in this machine's time zone, ms."""
    begun = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return int(begun.timestamp() * 1000)


def _watch(asked: Site) -> None:
    """Shows the board until Ctrl-C. It goes on when the switch stops or starts meanwhile."""
    console = Console()
    sums = _Today(asked)
    sums.start()
    desk.view(asked, None)  # fails at once when no switch runs
    try:
        with Live(console=console, screen=True, auto_refresh=False) as screen:
            while True:
                try:
                    view = desk.view(asked, sums.found)
                except running.SwitchError as error:
                    view = View(asked.now(), today=sums.found, problem=told(error))
                screen.update(board(view, console.height), refresh=True)
                time.sleep(REFRESH_S)
    except KeyboardInterrupt:
        return


class _Today(threading.Thread):
    """Asks the database every few seconds in a thread, so that a slow database does not delay the board."""

    def __init__(self, asked: Site) -> None:
        super().__init__(name="today", daemon=True)
        self._asked = asked
        self.found: Sequence[Sums] | None = _today(asked)

    def run(self) -> None:
        """Runs until the program ends."""
        while True:
            time.sleep(TODAY_EVERY_S)
            self.found = _today(self._asked)


def _print(view: View) -> None:
    """The view as plain text, once."""
    assert view.status is not None
    click.echo(state_text(view))
    click.echo(phases_text(view))
    click.echo(f"today: {today_text(view.today)}")
    if view.calls:
        _part("Calls", _CALL_COLUMNS, [_call_row(view.at, call) for call in view.calls])
    _part("Agents", ("agent", "in use", "remark"), agent_rows(view.status))
    click.echo()
    show_title("Trunks")
    for line in trunk_lines(view.status):
        click.echo("".join(span.text for span in line))


_CALL_COLUMNS = ("id", "phase", "ani", "did", "campaign", "winner", "legs")


def _call_row(at: int, call: dict[str, object]) -> list[object]:
    legs = call["legs"]
    assert isinstance(legs, list)
    return [*(call[name] for name in _CALL_COLUMNS[:-1]), "; ".join(leg_text(at, leg) for leg in legs)]


def _part(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    click.echo()
    show_title(title)
    show_table(columns, rows)
