"""The live view: calls under way and the day's sums, for a board that asks again and again."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.desk.site import Site
from ari_app.domain.reports.now import View
from ari_app.domain.reports.today import Sums
from ari_app.serving import running
from ari_app.store.db.errors import StoreError
from ari_app.store.reports import today


def view(site: Site, sums: Sequence[Sums] | None) -> View:
    """The running switch's state now, together with the day's sums. Raises SwitchNotRunning, SwitchError."""
    status, calls = running.ask(site.settings, "/status"), running.ask(site.settings, "/live")
    if "supervision" not in status:
        raise running.SwitchError("the running switch is older than this command; restart it")
    return View(site.now(), status, calls, sums)


def sums_since(site: Site, at: int) -> list[Sums] | None:
    """The sums of calls and money since a time (ms), such as midnight; None when the database does not answer."""
    try:
        return today.since(site.engine, at)
    except StoreError:
        return None
