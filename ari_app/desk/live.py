"""What happens now: the calls under way and the day's sums, for a board that asks again and again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from ari_app.domain.reports.now import View
from ari_app.domain.reports.today import Sums
from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.store.db.errors import StoreError
from ari_app.store.reports import today


def view(settings: Settings, now: int, sums: Sequence[Sums] | None) -> View:
    """What the running switch says at `now` (ms), with the day's sums. Raises SwitchNotRunning, SwitchError."""
    status, calls = running.ask(settings, "/status"), running.ask(settings, "/live")
    if "supervision" not in status:
        raise running.SwitchError("the running switch is older than this command; restart it")
    return View(now, status, calls, sums)


def sums_since(engine: Engine, at: int) -> list[Sums] | None:
    """What calls and money come to since a moment (ms), such as midnight; None when the database does not answer."""
    try:
        return today.since(engine, at)
    except StoreError:
        return None
