"""Forensics: connections that end near the second from which they are paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.durations import format_duration
from ari_app.domain.reports import forensics as domain
from ari_app.domain.reports.forensics import JUST_S, Ending, Findings, Nearness
from ari_app.domain.reports.reporting import ratio
from ari_app.domain.reports.rollups import AROUND_S
from ari_app.views.csvtext import write_csv
from ari_app.views.reports.columns import bar
from ari_app.views.reports.report import Link


def calls_of(found: Findings, first: int, last: int, **party: str) -> dict[str, str] | None:
    """The filters, by name, for a list of the calls that ended in these seconds.

    None unless all are of one campaign with one payable duration: else the list would include calls of the same length
    whose terms do not ask for a duration.
    """
    if len(found.payable_ms) != 1 or "campaign" not in found.only:
        return None
    since, until = domain.talked_ms(found.payable_ms[0], first, last)
    parties = {**found.only, **party}
    chosen = {"winner" if name == "destination" else name: value for name, value in parties.items()}
    return (
        chosen
        | ({"talked-from": format_duration(since)} if since is not None else {})
        | ({"talked-until": format_duration(until)} if until is not None else {})
    )


def write_seconds(file: IO[str], found: Findings, link: Link) -> None:
    """The histogram as CSV."""
    rows = [[second, count, _linked(link, found, second, second)] for second, count in found.seconds.items()]
    write_csv(file, ["second", "connections", "calls"], rows)


def about(found: Findings) -> str:
    """The parties and the period of the report, as text."""
    parties = "".join(f"{name} {value}, " for name, value in found.only.items())
    return f"{parties}{found.period}"


def findings_json(found: Findings, link: Link) -> dict[str, Any]:
    """The findings for programs; a link to calls is None when no list would contain exactly these calls."""
    return {
        "timezone": found.period.zone.key,
        "since": iso(found.period.since),
        "until": iso(found.period.until),
        "only": found.only,
        "payable_ms": found.payable_ms,
        "just_s": JUST_S,
        "seconds": [
            {"second": second, "connections": count, "calls": _linked(link, found, second, second)}
            for second, count in found.seconds.items()
        ],
        "total": _nearness_json(link, found, found.total),
        "destinations": [
            {"destination": name, **_nearness_json(link, found, near, destination=name)}
            for name, near in domain.by_party(found.destinations).items()
        ],
        "publishers": [
            {"publisher": name, **_nearness_json(link, found, near, publisher=name)}
            for name, near in domain.by_party(found.publishers).items()
        ],
    }


def _nearness_json(link: Link, found: Findings, near: Nearness, **party: str) -> dict[str, Any]:
    return {
        "connections": near.connections,
        "before": near.before,
        "after": near.after,
        "before_share": ratio(near.before, near.connections),
        "after_share": ratio(near.after, near.connections),
        "skew": near.skew,
        "calls_before": _linked(link, found, -JUST_S, -1, **party),
        "calls_after": _linked(link, found, 0, JUST_S - 1, **party),
    }


def _linked(link: Link, found: Findings, first: int, last: int, **party: str) -> str | None:
    chosen = calls_of(found, first, last, **party)
    return None if chosen is None else link(found.period, chosen)


# For people


def payable_text(found: Findings) -> str:
    """The duration that the terms ask for, and how seconds are counted, as text."""
    needed = ", ".join(map(format_duration, found.payable_ms))
    return f"The terms ask for {needed}; second 0 is the first that is paid for."


def nearness_text(near: Nearness) -> str:
    """How many connections ended just before the payable second, and how many just after, as text."""
    return (
        f"Of {near.connections} connections, {near.before} ({_percent(near.before, near)} %) ended in the "
        f"{JUST_S} s before the payable second, {near.after} ({_percent(near.after, near)} %) in the {JUST_S} s "
        "from it."
    )


def seconds_table(seconds: Mapping[int, int], *, has_bars: bool) -> tuple[list[str], list[list[object]]]:
    """The histogram, columns and rows, with bars or without."""
    largest = max(count for second, count in seconds.items() if -AROUND_S <= second < AROUND_S)
    rows: list[list[object]] = []
    for second, count in seconds.items():
        is_beyond = not -AROUND_S <= second < AROUND_S
        name = f"{'earlier' if second < 0 else 'later'}" if is_beyond else f"{second:+d}" if second else "0"
        drawn = ["" if is_beyond else bar(count, largest)] if has_bars else []
        rows.append([name, *drawn, count])
    return ["second", *([""] if has_bars else []), "connections"], rows


def parties_table(name: str, endings: Sequence[Ending]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """By destination or by publisher, as `name` says: how many connections ended just before and just after."""
    rows = [
        (party or "(not known)", near.connections, near.before, near.after, _percent(near.before, near),
         _percent(near.after, near), near.skew)
        for party, near in domain.by_party(endings).items()
    ]  # fmt: skip
    return (name, "connections", "just before", "just after", "before %", "after %", "skew"), rows


def _percent(part: int, near: Nearness) -> str:
    return f"{100 * part / near.connections:.1f}"
