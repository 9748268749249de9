"""The columns of reports: the value of each for a line, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, get_args

from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import Disposition
from ari_app.domain.reports.reporting import ReportLine, Takings, ratio
from ari_app.domain.reports.rollups import MONEY_SUMS, OFFERS_COUNTED_AS
from ari_app.views import caps
from ari_app.views.words import tenths

_BLOCKS = " ▏▎▍▌▋▊▉█"
_BAR = 12  # characters


class Column(NamedTuple):
    """A column. `value` is for programs; `shown` turns it into the text for people under `header`.

    A column whose value is `nothing` in every line is not shown to people.
    """

    name: str
    header: str
    value: Callable[[ReportLine], Any]
    shown: Callable[[Any], str] = str
    nothing: Any = None


class Table(NamedTuple):
    """Columns that people see together. With `currency`, they are amounts in that currency."""

    title: str
    columns: Sequence[Column]
    currency: str | None = None


def _count(name: str) -> Column:
    return Column(name, name, lambda line: line.counts[name])


def _rare(name: str) -> Column:
    return _count(name)._replace(nothing=0)


def _share(name: str, part: str, whole: str) -> Column:
    return Column(name, f"{name.replace('_', ' ')} %", lambda line: line.share(part, whole), _percent)


def _average(name: str, total: str, count: str) -> Column:
    return Column(f"average_{name}_ms", f"{name} s", lambda line: line.average_ms(total, count), tenths)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


_LIVE = Column("live", "live", lambda line: line.live)
_MAIN = ("answered", "connected", "qualified")
_CALLS = Table(
    "Calls",
    (
        _count("incoming"),
        _LIVE,
        *map(_count, _MAIN),
        _share("conversion", "qualified", "incoming"),
        _average("wait", "wait_ms", "offered"),
        _average("talk", "talk_ms", "connected"),
    ),
)
_OTHERWISE = Table(
    "Where they ended",
    (*map(_rare, ("offered", "repeat")), *(_rare(n) for n in get_args(Disposition) if n not in _MAIN)),
)
_OFFERS = Table(
    "Offers",
    (
        _count("offered"),
        _LIVE,
        _count("won"),
        _share("win_rate", "won", "offered"),
        _average("accept", "accept_ms", "accepted"),
        _count("late"),
        _average("late", "late_ms", "late"),
    ),
)
_OUTCOMES = Table(
    "How they ended",
    [_rare(name) for name in OFFERS_COUNTED_AS if name not in ("offered", "won", "late")],
)


def call_tables(currencies: Sequence[str]) -> list[Table]:
    """The tables of a report on calls. Each currency has its own table."""
    money = [Table(f"Money in {currency}", _money(currency), currency=currency) for currency in currencies]
    return [_CALLS, _OTHERWISE, *money]


def offer_tables() -> list[Table]:
    """The tables of a report on the offers to destinations."""
    return [_OFFERS, _OUTCOMES]


def disposition_tables(incoming: int) -> list[Table]:
    """The tables of a report by disposition; `incoming` is the number of all calls."""
    share = Column("share", "share %", lambda line: ratio(line.counts["incoming"], incoming), _percent)
    return [Table("Dispositions", (_count("incoming"), share))]


def caps_table(standing: Mapping[str, Any]) -> Table:
    """The table of caps beside the lines; `standing` has the caps by their owner's id."""
    column = Column("caps", "caps", lambda line: standing.get(line.key or ""), caps.words)
    return Table("Caps now", (column,))


def _money(currency: str) -> list[Column]:
    amount = partial(format_amount, currency=currency)

    def taken(line: ReportLine) -> Takings:
        return line.takings.get(currency, Takings())

    def taken_part(part: str, line: ReportLine) -> str:
        return amount(getattr(taken(line), part))

    def per_call(line: ReportLine) -> str | None:
        found = line.revenue_per_call(currency) if currency in line.takings else None
        return None if found is None else amount(found)

    return [
        *(Column(part, part, partial(taken_part, part)) for part in ("revenue", "payout", "cost", "profit")),
        Column("margin", "margin %", lambda line: taken(line).margin, _percent),
        Column("revenue_per_call", "revenue a call", per_call),
        *(
            Column(part, part.replace("_", " "), partial(taken_part, part), nothing=amount(0))
            for part in MONEY_SUMS
            if part not in ("revenue", "payout")
        ),
    ]


def bar(value: int, largest: int) -> str:
    """A bar of at most 12 characters, in steps of an eighth of one."""
    eighths = round(8 * _BAR * value / largest) if largest else 0
    return "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()
