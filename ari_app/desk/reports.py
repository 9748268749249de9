"""Reports: their period, rows and sums; and the recount of the daily figures."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, get_args
from zoneinfo import ZoneInfo

from ari_app.access.actor import Actor
from ari_app.desk import caps
from ari_app.desk.calls import under_way
from ari_app.desk.checked import invalid, moment, word, words
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.clock import from_iso, iso
from ari_app.domain.basics.money import exponent
from ari_app.domain.calls.record import Disposition
from ari_app.domain.caps.standing import Standing
from ari_app.domain.reports import reporting
from ari_app.domain.reports.forensics import Findings
from ari_app.domain.reports.report import HAVE_CAPS, By, Report
from ari_app.domain.reports.reporting import Group, midnight
from ari_app.domain.reports.rollups import HOUR_MS
from ari_app.domain.reports.span import Span
from ari_app.serving.running import SwitchNotRunning
from ari_app.store.calls import rebuild
from ari_app.store.reports import rollups

DEFAULT_DAYS = 30
FILTERS = ("campaign", "advertiser", "publisher", "source", "state")
"""The fields of a call by which a report can be limited."""
OFFER_FILTERS = frozenset({"campaign", "advertiser"})
"""The same for a report by destination: offers are counted by these fields only."""
FORENSIC_FILTERS = ("campaign", "destination", "publisher")
LONGEST_MS = 3_660 * 24 * HOUR_MS
_COST = re.compile(r"\d{1,6}(\.\d{1,8})?", re.ASCII)


def span(since: int | None, until: int | None, zone: ZoneInfo, now: int, days: int = DEFAULT_DAYS) -> Span:
    """The period from `since` until before `until` (ms), on the clock of the time zone.

    Defaults: from midnight `days` ago until the end of the present hour. Raises Refused for a time at which a report
    cannot begin or end.
    """
    for at, field in ((since, "since"), (until, "until")):
        if at is not None:
            moment(at, field)
    if since is None:
        today = datetime.fromtimestamp(now // 1000, zone).date()
        since = midnight(today - timedelta(days=days), zone)
    if until is None:
        until = now - now % HOUR_MS + HOUR_MS
    if not since < until <= since + LONGEST_MS:
        raise invalid("span", "the period ends before it begins, or is longer than ten years")
    try:
        reporting.check_hours(since, until, zone)
    except ValueError as error:
        raise invalid("span", str(error)) from error
    return Span(since, until, zone)


def by(
    site: Site,
    what: By,
    zone: ZoneInfo,
    *,
    since: int | None = None,
    until: int | None = None,
    only: Mapping[str, str] | None = None,
    cost_a_minute: str | None = None,
) -> Report:
    """One line for each campaign, publisher and so on (`what`), and their sum, for a period (see `span`).

    The period defaults to the last DEFAULT_DAYS; for a report by hour, to today.

    `only` limits it to calls with these values, by field; an empty value selects calls that have none.
    `cost_a_minute` is the carrier's price for one minute of a caller's line, such as `0.012`, in the currency of the
    calls. Raises Refused.
    """
    if what not in get_args(By):
        raise invalid("by", f"expected one of {', '.join(get_args(By))}")
    chosen = words(only, FILTERS)
    if what == "destination" and not OFFER_FILTERS.issuperset(chosen):
        raise invalid("only", "offers are counted by campaign and advertiser alone: leave the others out")
    when = span(since, until, zone, site.now(), days=0 if what == "hour" else DEFAULT_DAYS)
    groups = _groups(site, what, when, chosen)
    lines = reporting.lines(
        groups, lambda key: _label(what, when, key), _cost_a_minute(cost_a_minute, groups)
    )
    total = reporting.total(lines)
    if what == "disposition":
        lines = reporting.by_disposition(total, get_args(Disposition))
    else:
        live = _keys_under_way(site, what, when, chosen)
        if live is not None:
            lines = reporting.with_live(lines, live)
            total = reporting.total(lines)
        if what in ("hour", "day"):
            hours = range(when.since, when.until, HOUR_MS)
            lines = reporting.in_time(lines, (_time_label(what, when, hour_at) for hour_at in hours))
    return Report(what, when, chosen, lines, total, _caps(site, what), _uncounted(site, when))


def forensics(
    site: Site,
    zone: ZoneInfo,
    *,
    since: int | None = None,
    until: int | None = None,
    only: Mapping[str, str] | None = None,
) -> Findings:
    """How many connections of a period (see `span`) end near the second from which the terms pay.

    `only` limits it to the connections of this campaign, destination and publisher. Raises Refused.
    """
    when, chosen = span(since, until, zone, site.now()), words(only, FORENSIC_FILTERS)
    destinations, publishers = (
        rollups.endings(site.engine, party, when.since, when.until, chosen)
        for party in ("destination", "publisher")
    )
    return Findings(when, chosen, destinations, publishers, _uncounted(site, when))


def days_to_count(site: Site) -> Sequence[int]:
    """The days, each as the time (ms) of its beginning, for which `count_day` must be called to recount all calls."""
    return rebuild.days(site.engine)


def count_day(site: Site, actor: Actor, day_at: int) -> int:
    """Recounts the calls of one day; returns their number. Calls that are saved meanwhile are counted once.

    What was counted wrongly is mended, and the audit log says so.
    """
    day = moment(day_at, "day_at")
    entry = Entry(site.now(), str(actor), "reports.count_day", iso(day))
    return rebuild.rebuild_day(site.engine, day, entry)


def _groups(site: Site, what: By, when: Span, only: Mapping[str, str]) -> list[Group]:
    if what == "destination":
        return rollups.offers_by_destination(site.engine, when.since, when.until, only)
    column = {"hour": "hour_at", "day": "hour_at", "disposition": "campaign"}.get(what, what)
    return rollups.calls_by(site.engine, column, when.since, when.until, only)


def _uncounted(site: Site, when: Span) -> int | None:
    first = rollups.first_uncounted(site.engine)
    return first if first is not None and first < when.until else None


def _caps(site: Site, what: By) -> dict[str, list[Standing]]:
    """By id of each line of the report: its caps in force, with how much of them is used now."""
    found: defaultdict[str, list[Standing]] = defaultdict(list)
    if what in HAVE_CAPS:
        try:
            for one in caps.standing(site):
                if one.owner.kind == what:
                    found[one.owner.id].append(one)
        except Refused:  # no marketplace is in force
            return {}
    return found


def _label(what: By, when: Span, key: str | int) -> str | None:
    return _time_label(what, when, key) if isinstance(key, int) else key or None


def _time_label(what: By, when: Span, at: int) -> str:
    return (reporting.local_hour if what == "hour" else reporting.local_day)(at - at % HOUR_MS, when.zone)


def _cost_a_minute(text: str | None, groups: Sequence[Group]) -> Fraction:
    """The cost of a minute in minor units."""
    if text is None:
        return Fraction(0)
    if not _COST.fullmatch(word(text, "cost_per_minute")):
        raise invalid("cost_per_minute", f"{text!r} is not an amount such as 0.012")
    currencies = {group.currency for group in groups if group.currency}
    if len(currencies) > 1:
        raise Refused(Code.COSTS_DIFFER, currencies=sorted(currencies))
    return Fraction(text) * Fraction(10) ** exponent(next(iter(currencies), "USD"))


def _keys_under_way(site: Site, what: By, when: Span, only: Mapping[str, str]) -> list[str | None] | None:
    """For each call under way in the period, the line that it belongs to; None when no switch runs."""
    try:
        found = [call for call in under_way(site.settings) if _is_of(call, when, only)]
    except SwitchNotRunning:
        return None
    if what == "destination":
        return [call["winner"] for call in found if call["winner"]]
    if what in ("hour", "day"):
        return [_time_label(what, when, from_iso(call["started_at"])) for call in found]
    return [call.get(what) for call in found]


def _is_of(call: Mapping[str, Any], when: Span, only: Mapping[str, str]) -> bool:
    began = from_iso(call["started_at"])
    return when.since <= began < when.until and all((call.get(k) or "") == only[k] for k in only)
