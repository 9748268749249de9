"""Whose calls somebody may ask for: a call that is not theirs is not there, and filters are by what they see."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ari_app.desk import calls as desk
from ari_app.desk import visibility
from ari_app.desk.calls import Found
from ari_app.desk.checked import invalid
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.selection import Selection
from ari_app.web.who import Asked

_NEWEST = re.compile(r"n(\d{1,15})-([0-9a-z-]{1,64})", re.ASCII)
TOPICS: Mapping[str, str] = {
    "ani": "caller_numbers",
    "advertiser": "advertiser_names",
    "publisher": "publisher_names",
    "source": "sources",
    "winner": "destinations",
    "destination": "destinations",
    "counted_as": "margin",
}
"""Filters by what not everybody sees: who does not see it cannot find it out by asking."""


def theirs(asked: Asked, call_id: str) -> Found:
    """The call as they may know it. Raises Refused: to others it is not there."""
    found = desk.whole(asked.site, call_id)
    seen = visibility.seen(asked.lens, found) if found.record.id == call_id else None
    if seen is None:
        raise desk.no_call(call_id)
    return seen


def own(asked: Asked, wanted: Selection) -> Selection:
    """What is wanted, of their own calls. Raises Refused for a filter by what they do not see."""
    mine = asked.viewer.own
    for field, topic in TOPICS.items():
        if getattr(wanted, field) is not None and field not in mine and not asked.lens.sees(topic):
            raise invalid(field, "you do not see this of calls")
    for field, id in mine.items():
        if getattr(wanted, field) not in (None, id):
            raise invalid(field, "expected your own, or none")
    return replace(wanted, **mine)  # type: ignore[arg-type]


def cursor_of(record: CallRecord) -> str:
    """Where a list of the newest calls goes on after this one."""
    return f"n{record.started_at}-{record.id}"


def place(cursor: str | None) -> tuple[int, str] | None:
    """The place that a cursor says. Raises Refused."""
    found = None if cursor is None else _NEWEST.fullmatch(cursor)
    if cursor is not None and found is None:
        raise invalid("cursor", "expected what `next` was, in the same order")
    return (int(found[1]), found[2]) if found else None
