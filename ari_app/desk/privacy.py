"""Forgetting callers: one who asks for it, and all of them by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.calls import under_way
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.serving.oldtraces import OldTraces
from ari_app.serving.running import SwitchNotRunning
from ari_app.serving.traces import Traces
from ari_app.store.calls import privacy
from ari_app.store.calls.spool import Spool


@dataclass(frozen=True, slots=True)
class Erased:
    """Out of how many calls callers were taken. `left` is where they may still be, and why, a line each.

    `under_way` are the ids of the caller's calls that are not over: they are not reached.
    """

    calls: int
    left: Sequence[str]
    under_way: Sequence[str] = ()


def erase(site: Site, actor: Actor, number: str) -> Erased:
    """Takes the caller with this number (E.164) out of every call, and of the files of HOME; deletes what was recorded.

    Where anything is left, or under way, it has to be done again. Raises Refused, StoreError, SwitchError, OSError.
    """
    checked.phone_number(number, "number")
    now, settings = site.now(), site.settings
    talking = _under_way(site, number)
    traces = Traces(settings, number)
    traces.before(now)
    entry = Entry(now, str(actor), "privacy.erase", "")  # the log is not to name whom it is about
    spool = Spool(settings.spool)
    try:
        calls = privacy.erase_caller(site.engine, spool, settings.recordings, number, now, entry)
    finally:
        left = traces.after(site.engine)
    return Erased(calls, left, talking)


def expire(site: Site, actor: Actor, age_ms: int) -> Erased:
    """Takes the callers out of all calls that began longer ago than that, and deletes what was recorded.

    Raises Refused, StoreError, SwitchError, OSError.
    """
    now, settings = site.now(), site.settings
    before = checked.moment(now - age_ms, "older_than")
    callers = privacy.callers_before(site.engine, before)
    traces = OldTraces(settings, before)
    traces.sweep(now)
    entry, spool = Entry(now, str(actor), "privacy.expire", ""), Spool(settings.spool)
    try:
        calls = privacy.erase_before(site.engine, spool, settings.recordings, before, now, entry)
    finally:
        left = traces.after(site.engine, callers)
    return Erased(calls, left)


def _under_way(site: Site, number: str) -> list[str]:
    """The ids of this caller's calls in the running switch, if one runs."""
    try:
        return [call["id"] for call in under_way(site.settings) if call["ani"] == number]
    except SwitchNotRunning:
        return []
