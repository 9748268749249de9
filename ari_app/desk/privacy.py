"""Erasure of callers' data: of one caller who asks for it, and of all old calls."""

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
    """In how many calls the caller was erased. `left` says where a number may still be and why, one line each.

    `under_way` are the ids of the caller's calls that are not over: these are not erased.
    """

    calls: int
    left: Sequence[str]
    under_way: Sequence[str] = ()


def erase(site: Site, actor: Actor, number: str) -> Erased:
    """Erases the caller with this number (E.164) from every call and from the files in HOME; deletes the recordings.

    If anything is left or under way, do it again later. Raises Refused, StoreError, SwitchError, OSError.
    """
    checked.phone_number(number, "number")
    now, settings = site.now(), site.settings
    talking = _under_way(site, number)
    traces = Traces(settings, number)
    traces.before(now)
    entry = Entry(now, str(actor), "privacy.erase", "")  # the audit log must not name the erased caller
    spool = Spool(settings.spool)
    try:
        calls = privacy.erase_caller(site.engine, spool, settings.recordings, number, now, entry)
    finally:
        left = traces.after(site.engine)
    return Erased(calls, left, talking)


def expire(site: Site, actor: Actor, age_ms: int) -> Erased:
    """Erases the callers from all calls that began longer than `age_ms` ago, and deletes the recordings.

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
    """The ids of this caller's calls under way; empty when no switch runs."""
    try:
        return [call["id"] for call in under_way(site.settings) if call["ani"] == number]
    except SwitchNotRunning:
        return []
