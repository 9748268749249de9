"""Threshold forensics: do connections end just before the second that is paid for, or just after it?

If nobody looks at the clock, as many conversations end just before a second as just after it. Many ends just before
the payable second mean: an agent hangs up in time not to pay. Many just after it mean: a caller was kept on the line,
or paid to stay.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ari_app.domain.reports.rollups import AROUND_S, SECOND_MS
from ari_app.domain.reports.span import Span

JUST_S = 5


class Ending(NamedTuple):
    """How many connections of a party, such as a destination, ended in one second; see `rollups.EndingKey`."""

    party: str
    payable_ms: int
    second: int
    connections: int


@dataclass(frozen=True, slots=True)
class Nearness:
    """How many of the connections ended within JUST_S before the payable second, and within JUST_S from it on."""

    connections: int
    before: int
    after: int

    @property
    def skew(self) -> float | None:
        """Ends just before, divided by ends just after; about 1 where nobody looks at the clock."""
        return round(self.before / self.after, 2) if self.after else None


@dataclass(frozen=True, slots=True)
class Findings:
    """The connections of a period that have the parties in `only`, by destination and by publisher.

    `uncounted_since` is that of a `Report`.
    """

    period: Span
    only: Mapping[str, str]
    destinations: Sequence[Ending]
    publishers: Sequence[Ending]
    uncounted_since: int | None = None

    @property
    def payable_ms(self) -> list[int]:
        """What the terms ask for."""
        return sorted({ending.payable_ms for ending in self.destinations})

    @property
    def seconds(self) -> dict[int, int]:
        """The histogram."""
        return histogram(self.destinations)

    @property
    def total(self) -> Nearness:
        """Of all connections."""
        return nearness(self.destinations)


def histogram(endings: Iterable[Ending]) -> dict[int, int]:
    """Connections by second, from the first to the last that is counted separately, zeros included."""
    found: Counter[int] = Counter()
    for ending in endings:
        found[ending.second] += ending.connections
    return {second: found[second] for second in range(-AROUND_S - 1, AROUND_S + 1)}


def nearness(endings: Iterable[Ending]) -> Nearness:
    """How near the payable second they ended."""
    seconds = histogram(endings)
    before = sum(count for second, count in seconds.items() if -JUST_S <= second < 0)
    after = sum(count for second, count in seconds.items() if 0 <= second < JUST_S)
    return Nearness(sum(seconds.values()), before, after)


def by_party(endings: Iterable[Ending]) -> dict[str, Nearness]:
    """The same for each party; parties with the most connections first."""
    of_party: defaultdict[str, list[Ending]] = defaultdict(list)
    for ending in endings:
        of_party[ending.party].append(ending)
    found = {name: nearness(theirs) for name, theirs in of_party.items()}
    return dict(sorted(found.items(), key=lambda item: (-item[1].connections, item[0])))


def talked_ms(payable_ms: int, first: int, last: int) -> tuple[int | None, int | None]:
    """How long connections of the seconds `first` to `last` lasted, in ms: [from, until); None is no bound."""
    since = max(payable_ms + first * SECOND_MS, 0) if first >= -AROUND_S else None
    until = max(payable_ms + (last + 1) * SECOND_MS, 0) if last < AROUND_S else None
    return since, until
