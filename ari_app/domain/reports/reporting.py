"""Reports: counters by the hour, added up into lines with their rates and their money.

Calls belong to the hour in which they began, money to the hour in which it moved. So a report's money is what the
ledger moved in the period, including what was reversed, charged later or decided later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ari_app.domain.calls.record import Disposition
from ari_app.domain.reports.rollups import HOUR_MS, MONEY_SUMS, Counts

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Takings:
    """The money of a line, in one currency's minor unit. `cost` is what the callers' lines cost.

    `revenue` and `payout` are net. `corrected_*`: the part of them that came by corrections, negative where it was
    reversed. `later_*`: the part that came by conversions after the call. `calls`: how many calls came in to campaigns
    of this currency.
    """

    revenue: int = 0
    payout: int = 0
    cost: int = 0
    corrected_revenue: int = 0
    corrected_payout: int = 0
    later_revenue: int = 0
    later_payout: int = 0
    calls: int = 0

    @property
    def profit(self) -> int:
        """The profit."""
        return self.revenue - self.payout - self.cost

    @property
    def margin(self) -> float | None:
        """Profit as a share of the revenue; None where the revenue is zero or negative."""
        return ratio(self.profit, max(self.revenue, 0))

    def __add__(self, other: Takings) -> Takings:
        return Takings(*(getattr(self, part) + getattr(other, part) for part in _TAKEN))


_TAKEN = tuple(field.name for field in fields(Takings))


@dataclass(slots=True)
class ReportLine:
    """One line of a report: the party or the time it is about (None: not known), its counters, its money by currency.

    `live`: how many calls are under way; None: not known.
    """

    key: str | None
    counts: Counts = field(default_factory=Counter)
    takings: dict[str, Takings] = field(default_factory=dict)
    live: int | None = None

    def share(self, part: str, whole: str) -> float | None:
        """One counter as a share of another."""
        return ratio(self.counts[part], self.counts[whole])

    def average_ms(self, total: str, count: str) -> int | None:
        """The average of a sum of ms over a counter, rounded down to whole ms."""
        return self.counts[total] // self.counts[count] if self.counts[count] else None

    def revenue_per_call(self, currency: str) -> int | None:
        """The revenue per incoming call, in the minor unit, rounded. Calls in another currency are not counted."""
        others = sum(taken.calls for other, taken in self.takings.items() if other != currency)
        return divided(self.takings[currency].revenue, self.counts["incoming"] - others)


class Group(NamedTuple):
    """The counters of one key, such as a campaign's id or an hour (ms), and of one currency (or "")."""

    key: str | int
    currency: str
    counts: Counts


def lines(
    groups: Iterable[Group], label: Callable[[str | int], str | None], cost_a_minute: Fraction
) -> list[ReportLine]:
    """The lines of a report, one for each label, the largest first.

    `cost_a_minute`: what a minute of a caller's line costs, in the minor unit.
    """
    found: dict[str | None, ReportLine] = {}
    line_ms: defaultdict[tuple[str | None, str], int] = defaultdict(int)
    for group in groups:
        key = label(group.key)
        line = found.setdefault(key, ReportLine(key))
        line.counts.update(group.counts)
        if group.currency:
            sums = {name: group.counts[name] for name in MONEY_SUMS}
            taken = Takings(**sums, calls=group.counts["incoming"])
            line.takings[group.currency] = line.takings.get(group.currency, Takings()) + taken
            line_ms[key, group.currency] += group.counts["line_ms"]
    for (key, currency), used_ms in line_ms.items():
        found[key].takings[currency] += Takings(cost=rounded(used_ms * cost_a_minute / MINUTE_MS))
    return sorted(found.values(), key=_largest_first)


def _largest_first(line: ReportLine) -> tuple[int, str]:
    return -max(line.counts["incoming"], line.counts["offered"]), line.key or ""


def total(report: Iterable[ReportLine]) -> ReportLine:
    """The sum of the lines."""
    whole = ReportLine(None)
    for line in report:
        whole.counts.update(line.counts)
        for currency, taken in line.takings.items():
            whole.takings[currency] = whole.takings.get(currency, Takings()) + taken
        if line.live is not None:
            whole.live = (whole.live or 0) + line.live
    return whole


def by_disposition(whole: ReportLine, dispositions: Iterable[Disposition]) -> list[ReportLine]:
    """A line for each disposition, the most frequent first; `incoming` is how many calls ended so."""
    found = [
        ReportLine(name, Counter(incoming=whole.counts[name])) for name in dispositions if whole.counts[name]
    ]
    return sorted(found, key=_largest_first)


def in_time(report: Iterable[ReportLine], labels: Iterable[str]) -> list[ReportLine]:
    """The lines in the order of the labels, from the first to the last, with empty lines for missing labels between."""
    line_of = {line.key: line for line in report}
    found = [line_of.get(label, ReportLine(label)) for label in dict.fromkeys(labels)]
    there = [n for n, line in enumerate(found) if line.key in line_of]
    return found[there[0] : there[-1] + 1] if there else []


def with_live(report: list[ReportLine], live_keys: Iterable[str | None]) -> list[ReportLine]:
    """The lines with how many calls of each are under way; a key without a line gets a new one."""
    live = Counter(live_keys)
    lines_of = {line.key: line for line in report}
    added = [ReportLine(key) for key in live if key not in lines_of]
    for line in (*report, *added):
        line.live = live[line.key]
    return [*report, *added]


# Time on the reader's clock


def local_hour(hour_at: int, zone: ZoneInfo) -> str:
    """The hour in the zone's time, such as `2026-11-01T01:00-04:00`. An hour that comes twice has two names."""
    return datetime.fromtimestamp(hour_at // 1000, zone).isoformat(timespec="minutes")


def local_day(hour_at: int, zone: ZoneInfo) -> str:
    """The day of the hour in the zone's time, such as `2026-11-01`."""
    return datetime.fromtimestamp(hour_at // 1000, zone).date().isoformat()


def hour_bounds(label: str) -> tuple[int, int]:
    """The hour with this name (see `local_hour`), in ms: [from, until)."""
    since = round(datetime.fromisoformat(label).timestamp()) * 1000
    return since, since + HOUR_MS


def day_bounds(label: str, zone: ZoneInfo) -> tuple[int, int]:
    """The day with this name (see `local_day`) from midnight to midnight, in ms: [from, until)."""
    day = date.fromisoformat(label)
    return midnight(day, zone), midnight(day + timedelta(days=1), zone)


def midnight(day: date, zone: ZoneInfo) -> int:
    """When the day begins in the zone, in ms."""
    return round(datetime.combine(day, time(), zone).timestamp()) * 1000


def check_hours(since: int, until: int, zone: ZoneInfo) -> None:
    """Raises ValueError when [since, until), in ms, or a day of the zone in it does not begin at a full hour of UTC.

    Calls are counted by hours of UTC, so a report can begin and end only there.
    """
    for at in (since, until):
        if at % HOUR_MS:
            raise ValueError(
                f"{datetime.fromtimestamp(at / 1000, zone).isoformat()} is no full hour of UTC, and calls are "
                "counted by those; give full hours, or another --tz"
            )
    for at in range(since, until, 24 * HOUR_MS):
        offset = datetime.fromtimestamp(at // 1000, zone).utcoffset()
        if offset is not None and offset % timedelta(hours=1):
            raise ValueError(
                f"the clock of {zone.key} is not full hours from UTC, and calls are counted by hours of UTC; "
                "give another --tz"
            )


# Numbers


def ratio(part: int, whole: int) -> float | None:
    """A share, to four decimals; None where the whole is zero."""
    return round(part / whole, 4) if whole else None


def divided(amount: int, count: int) -> int | None:
    """An average as a whole number, halves rounded up; None where the count is zero."""
    return rounded(Fraction(amount, count)) if count else None


def rounded(value: Fraction) -> int:
    """The nearest whole number, halves rounded up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
