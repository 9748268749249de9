"""What holds for every amount, every hour, every key pressed and every document."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ari_app.domain.basics.durations import format_duration, parse_duration
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.basics.hours import Hours, is_open
from ari_app.domain.basics.money import format_amount, format_rate, parse_amount, parse_rate
from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls.geo import (
    miles_between,
)
from ari_app.domain.document.reading import from_document, parse, to_document
from ari_app.domain.ivr.digits import Collector, Digit, Digits, Invalid, NoInput, PromptDone, Spec, TimeUp
from ari_app.domain.market.flows import Timers

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF"])
MINUTES_A_WEEK = 7 * 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# Money and durations


@given(st.integers(0, 10**12 - 1), CURRENCIES)
def test_an_amount_survives_being_written_and_read(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor


@given(st.integers(0, 10**12 - 1), CURRENCIES)
def test_a_rate_survives_being_written_and_read(rate: int, currency: str) -> None:
    assert parse_rate(format_rate(rate, currency), currency) == rate


@given(st.integers(0, 3_650 * 86_400_000))
def test_a_duration_survives_being_written_and_read(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms


# Hours


@given(
    day=st.sampled_from(DAYS),
    start=st.integers(0, 24 * 60 - 1),
    length=st.integers(1, 24 * 60 - 1),
    offset=st.integers(0, MINUTES_A_WEEK - 1),
)
def test_a_range_is_open_for_exactly_its_length_each_week(
    day: str, start: int, length: int, offset: int
) -> None:
    """Counted against a clock without summer time, minute by minute from the range's own start."""
    hours = Hours(open=(f"{day} {_clock(start)}-{_clock((start + length) % 1440)}",))
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    began = monday + timedelta(days=DAYS.index(day), minutes=start)
    at = began + timedelta(minutes=offset)
    assert is_open(hours, round(at.timestamp() * 1000)) is (offset < length)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.sampled_from(["America/New_York", "Asia/Kolkata"]),
)
def test_daily_hours_follow_the_wall_clock_through_the_year(at: datetime, timezone: str) -> None:
    moment = at.replace(tzinfo=UTC)
    hour = moment.astimezone(ZoneInfo(timezone)).hour
    hours = Hours(open=("daily 08:00-20:00",), timezone=timezone)
    assert is_open(hours, round(moment.timestamp() * 1000)) is (8 <= hour < 20)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


# Geography


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_a_distance_is_the_same_both_ways_and_never_beyond_half_the_earth(
    a: float, b: float, c: float, d: float
) -> None:
    assert abs(miles_between(a, b, c, d) - miles_between(c, d, a, b)) < 1e-6
    assert 0 <= miles_between(a, b, c, d) < 12_438


# Digits


@given(
    least=st.integers(1, 6),
    more=st.integers(0, 6),
    keys=st.lists(st.tuples(st.sampled_from("0123456789*#"), st.integers(0, 4_000)), max_size=20),
    barge_in=st.booleans(),
)
def test_a_collection_always_ends_once_and_within_its_bounds(
    least: int, more: int, keys: list[tuple[str, int]], barge_in: bool
) -> None:
    collector = Collector(Spec(least, least + more), Timers(), barge_in)
    now = 1_000
    results = [collector.handle(PromptDone(), now)]
    for key, pause in keys:
        now += pause
        if collector.deadline is not None and collector.deadline <= now:
            results.append(collector.handle(TimeUp(), collector.deadline))
        results.append(collector.handle(Digit(key), now))
    while collector.deadline is not None:
        results.append(collector.handle(TimeUp(), collector.deadline))
    [result] = [result for result in results if result is not None]
    match result:
        case Digits(value):
            assert least <= len(value) <= least + more
            assert value.isdigit()
        case Invalid(value):
            assert "*" in value or 0 < len(value) < least
        case NoInput():
            assert collector.value == ""


# Documents


def slug() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)


def amount() -> st.SearchStrategy[str]:
    return st.integers(0, 10**8).map(lambda minor: format_amount(minor, "USD"))


def coverage() -> st.SearchStrategy[dict[str, Any]]:
    states = st.lists(st.sampled_from(sorted(STATE_NAMES)), min_size=1, max_size=4)
    zips = st.lists(st.from_regex(r"[0-9]{5}", fullmatch=True), min_size=1, max_size=4)
    return st.one_of(
        states.map(lambda items: {"states": items}),
        zips.map(lambda items: {"zips": items}),
        st.integers(1, 500).map(lambda miles: {"zip": "10001", "radius_miles": miles}),
        st.just({"anywhere": True}),
    )


@st.composite
def marketplaces(draw: st.DrawFn) -> dict[str, Any]:
    advertiser = draw(slug())
    names = draw(st.lists(slug(), min_size=1, max_size=4, unique=True))
    price = draw(amount())
    return {
        "currency": "USD",
        "advertisers": {advertiser: {"name": draw(st.text("abc é,:#'\"{", min_size=1).filter(str.strip))}},
        "publishers": {"p": {"name": "P"}},
        "destinations": {
            name: {"advertiser": advertiser, "dial": {"extension": name}, "covers": draw(coverage())}
            for name in names
        },
        "campaigns": {
            "c": {
                "advertiser": advertiser,
                "price": price,
                "payout": draw(amount()),
                "route": {"waves": [{"destinations": names, "after": f"{draw(st.integers(0, 99))}s"}]},
                "qualify": [{"caller_in": draw(coverage())}, {"connected_at_least": "90s"}],
            }
        },
        "numbers": {"+18005550101": {"campaign": "c", "publisher": "p"}},
    }


@given(marketplaces())
def test_a_document_survives_yaml_json_and_back(document: dict[str, Any]) -> None:
    market = parse(yaml.safe_dump(document, allow_unicode=True), "a.yaml")
    written = to_document(market)
    assert from_document(json.loads(json.dumps(written))) == market
    assert parse(json.dumps(written), "b.yaml") == market
    assert to_document(parse(yaml.safe_dump(written), "c.yaml")) == written


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(marketplaces(), st.data())
def test_junk_anywhere_in_a_document_is_accepted_or_refused_in_lines(
    document: dict[str, Any], data: st.DataObject
) -> None:
    """Never a crash: whatever replaces a part of a good document."""
    part = document
    for _ in range(data.draw(st.integers(0, 4))):
        inner = [value for value in part.values() if isinstance(value, dict) and value]
        if not inner:
            break
        part = data.draw(st.sampled_from(inner))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JUNK)
    try:
        parse(yaml.safe_dump(document, allow_unicode=True), "a.yaml")
    except DocumentError as error:
        assert error.findings
        assert all(line.startswith("a.yaml:") and "\n" not in line for line in error.findings)


@given(st.text(alphabet="abc:-[]{}&*!\"'#\n 01,?|>%@`\t"))
def test_text_that_is_no_document_is_refused_in_lines(text: str) -> None:
    try:
        parse(text, "a.yaml")
    except DocumentError as error:
        assert all(line.startswith("a.yaml:") for line in error.findings)
    else:
        raise AssertionError("accepted")
