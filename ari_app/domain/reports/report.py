"""A report as data: its period, its lines and their sum, and which calls each line counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ari_app.domain.caps.counters import OwnerKind
from ari_app.domain.caps.standing import Standing
from ari_app.domain.reports import reporting
from ari_app.domain.reports.reporting import ReportLine
from ari_app.domain.reports.span import Span

By = Literal[
    "campaign", "publisher", "source", "destination", "advertiser", "state", "hour", "day", "disposition"
]
"""What each line of a report is about."""
HAVE_CAPS = get_args(OwnerKind)


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its lines and their sum, for the calls of a period that have the parties in `only`.

    `caps`: by id, the caps in force of what the lines are about, with their current use. `uncounted_since` (ms): calls
    that began then or later are missing, because they were saved before reports counted them; None: none is missing.
    """

    by: By
    period: Span
    only: Mapping[str, str]
    lines: Sequence[ReportLine]
    total: ReportLine
    caps: Mapping[str, Sequence[Standing]] = field(default_factory=dict)
    uncounted_since: int | None = None

    @property
    def counts_offers(self) -> bool:
        """Whether it counts offers to destinations, not calls."""
        return self.by == "destination"

    @property
    def counts_calls(self) -> bool:
        """Whether it counts calls with all their times and money."""
        return self.by not in ("destination", "disposition")

    def largest(self, line: ReportLine) -> int:
        """The count that the others of the line are parts of."""
        return line.counts["offered" if self.counts_offers else "incoming"]

    def calls_of(self, line: ReportLine | None) -> tuple[Span, dict[str, str]]:
        """Which calls a line counts: when they began, and their parties. Without a line: the calls of the whole report.

        An empty text as a party means: the calls have no such party.
        """
        if line is None:
            return self.period, dict(self.only)
        if self.by in ("hour", "day"):
            assert line.key is not None, "a line in time has one"
            since, until = self._bounds(line.key)
            within = Span(max(since, self.period.since), min(until, self.period.until), self.period.zone)
            return within, dict(self.only)
        return self.period, {**self.only, self.by: line.key or ""}

    def _bounds(self, key: str) -> tuple[int, int]:
        if self.by == "hour":
            return reporting.hour_bounds(key)
        return reporting.day_bounds(key, self.period.zone)
