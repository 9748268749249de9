"""A marketplace's own places are laid over the tables, for the checks, the snapshot and a replay alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ari_app.domain.basics.areacodes import is_of_a_place
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.calls.geo import Geography, area_covers, locate, overlaid, unknown_codes
from ari_app.domain.calls.record import PlaceRecord, Verdict
from ari_app.domain.document.changes import changes, words
from ari_app.domain.document.reading import parse, to_document
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.routing.snapshot import make_snapshot
from ari_app.domain.terms.replay import replay
from tests.kit.market import DID, marketplace
from tests.samples import make_call

TABLES = Geography(
    {"10001": ("NY", 40.75, -73.99, "America/New_York"), "77001": ("TX", None, None, None)},
    {"212": ("NY", "America/New_York"), "713": ("TX", "America/Chicago")},
)
AUSTIN = {"state": "TX", "latitude": 30.27, "longitude": -97.74, "timezone": "America/Chicago"}
NEW_CALLER = "+16215550123"


def market(
    area_codes: dict[str, Any] | None = None, zips: dict[str, Any] | None = None, **more: Any
) -> Marketplace:
    """A marketplace with places of its own; `more` are a destination's fields, or the campaign's `qualify`."""
    qualify = more.pop("qualify", None)
    document = marketplace({"one": "sip:one@127.0.0.1:5071"}, destination=more, qualify=qualify)
    document["geography"] = {"area_codes": area_codes or {}, "zips": zips or {}}
    return parse(json.dumps(document), "t.yaml", geography=TABLES)


def complaint(**places: Any) -> str:
    with pytest.raises(DocumentError) as refused:
        market(**places)
    return str(refused.value)


def test_without_places_of_its_own_the_tables_are_as_they_are() -> None:
    assert overlaid(TABLES, market().geography) is TABLES


def test_a_snapshot_places_callers_of_an_area_code_that_is_newer_than_the_tables() -> None:
    assert locate(TABLES, None, NEW_CALLER, "+18005550101").from_ == "unknown"
    known = market({"621": "TX"}, covers={"states": ["TX"]})
    snapshot = make_snapshot(1, known, {}, TABLES, {})
    place = locate(snapshot.geography, None, NEW_CALLER, DID)
    assert (place.state, place.timezone, place.from_) == ("TX", None, "ani")
    assert area_covers(snapshot.areas["one"], place, NEW_CALLER)[0]
    assert "621" not in TABLES.area_codes


def test_an_area_code_keeps_its_time_zone_where_its_state_stays() -> None:
    tables = overlaid(TABLES, market({"212": "NY", "713": "OK"}).geography)
    assert tables.area_codes == {"212": ("NY", "America/New_York"), "713": ("OK", None)}


def test_a_zip_of_its_own_is_known_to_checks_and_circles() -> None:
    covers = {"zip": "77001", "radius_miles": 10}
    assert "the position of ZIP 77001 is not known" in complaint(covers=covers)
    assert "there is no ZIP code 78999" in complaint(covers={"zips": ["78999"]})
    market(zips={"78999": AUSTIN}, covers={"zips": ["78999"]})
    snapshot = make_snapshot(1, market(zips={"77001": AUSTIN}, covers=covers), {}, TABLES, {})
    place = locate(snapshot.geography, "77001", None, DID)
    assert (place.state, place.latitude, place.timezone) == ("TX", 30.27, "America/Chicago")
    assert area_covers(snapshot.areas["one"], place, None)[0]


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ({"area_codes": {"621": "ZZ"}}, "geography.area_codes.621: expected a state or province code"),
        ({"area_codes": {"62": "TX"}}, "expected an area code of three digits"),
        ({"area_codes": {"121": "TX"}}, "expected an area code of three digits"),
        ({"area_codes": {"800": "TX"}}, "geography.area_codes.800: the area code 800 is no place's"),
        ({"area_codes": {"911": "TX"}}, "the area code 911 is no place's"),
        ({"zips": {"1001": AUSTIN}}, "expected a ZIP code of five digits"),
        ({"zips": {"10001": AUSTIN | {"state": "Texas"}}}, "expected a state or province code"),
        ({"zips": {"10001": {"state": "TX"}}}, "geography.zips.10001.latitude: this field is required"),
        ({"zips": {"10001": AUSTIN | {"latitude": 90.1}}}, "expected degrees from -90 to 90, got 90.1"),
        ({"zips": {"10001": AUSTIN | {"longitude": "x"}}}, "expected degrees from -180 to 180"),
        ({"zips": {"10001": AUSTIN | {"latitude": True}}}, "expected degrees from -90 to 90"),
        ({"zips": {"10001": AUSTIN | {"timezone": "Texas"}}}, "expected a time zone"),
        ({"zips": {"10001": AUSTIN | {"city": "Austin"}}}, "unknown field 'city'"),
        ({"zips": {str(n): AUSTIN for n in range(10_000, 15_001)}}, "expected at most 5,000 ZIP codes"),
    ],
)
def test_what_is_no_place_is_refused_with_its_path(places: dict[str, Any], words: str) -> None:
    assert words in complaint(**places)


def test_a_document_says_them_as_they_were_written() -> None:
    document = to_document(market({"621": "TX"}, {"10001": AUSTIN}), defaults=False)
    assert document["geography"] == {"area_codes": {"621": "TX"}, "zips": {"10001": AUSTIN}}
    assert "geography" not in to_document(market(), defaults=False)


def test_a_change_of_them_is_told() -> None:
    assert words(changes(market(), market({"621": "TX"}), {})) == [
        "marketplace changed",
        "  geography.area_codes.621 added: TX",
    ]


def test_a_replay_judges_by_the_places_of_the_other_terms() -> None:
    record = make_call(1, ani=NEW_CALLER, place=PlaceRecord(), qualification=Verdict(False, []))
    in_texas = [{"caller_in": {"states": ["TX"]}}]
    for area_codes, qualified in (({}, False), ({"621": "TX"}, True)):
        terms = market(area_codes, qualify=in_texas)
        [judged] = replay([record], terms, TABLES, 0, record.started_at + 1)
        assert judged.would_be.qualified is qualified


def test_unknown_codes_are_those_that_a_state_could_be_said_of() -> None:
    callers = {"212": 9, "621": 2, "730": 5, "876": 7, "800": 7, "500": 7, "911": 7}
    assert list(unknown_codes(callers, TABLES).items()) == [("730", 5), ("621", 2)]
    tables = overlaid(TABLES, market({"621": "TX"}).geography)
    assert unknown_codes(callers, tables) == {"730": 5}


@pytest.mark.parametrize("code", ["621", "212", "902", "552", "820"])
def test_area_codes_of_places(code: str) -> None:
    assert is_of_a_place(code) is (code != "552")
