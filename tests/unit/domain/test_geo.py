"""Where a caller is, and which areas hold the place."""

import pytest

from ari_app.domain.calls.geo import (
    UNKNOWN,
    Geography,
    Place,
    area_covers,
    area_of,
    locate,
    miles_between,
)
from ari_app.domain.market.destinations import Coverage

EASTERN = "America/New_York"
GEOGRAPHY = Geography(
    zips={
        "10001": ("NY", 40.7484, -73.9967, EASTERN),
        "07102": ("NJ", 40.7352, -74.1731, EASTERN),
        "12207": ("NY", 42.6576, -73.7478, EASTERN),
        "99546": ("AK", 51.88, -176.65, "America/Adak"),
        "09001": ("AE", None, None, None),
    },
    area_codes={"212": ("NY", EASTERN), "201": ("NJ", EASTERN), "208": ("ID", None)},
)
TOLL_FREE = "+18005550101"


def covered(coverage: Coverage, place: Place, ani: str | None = None) -> tuple[bool, str]:
    return area_covers(area_of(coverage, GEOGRAPHY), place, ani)


def at_zip(zip: str) -> Place:
    return locate(GEOGRAPHY, zip, None, TOLL_FREE)


def test_the_entered_zip_says_more_than_the_callers_number() -> None:
    place = locate(GEOGRAPHY, "07102", "+12125550123", TOLL_FREE)
    assert (place.state, place.zip, place.from_) == ("NJ", "07102", "zip")


def test_the_callers_number_says_more_than_the_number_called() -> None:
    place = locate(GEOGRAPHY, None, "+12015550123", "+12125550100")
    assert (place.state, place.from_) == ("NJ", "ani")


def test_the_number_called_is_better_than_nothing() -> None:
    assert locate(GEOGRAPHY, None, None, "+12125550100") == Place("NY", None, EASTERN, "did")


def test_a_zip_that_does_not_exist_says_nothing() -> None:
    assert locate(GEOGRAPHY, "00000", "+12125550123", TOLL_FREE).from_ == "ani"


@pytest.mark.parametrize(
    "ani", [TOLL_FREE, "+442079460123", "+19005550123", "+1212555012", "+12120550123", "2125550123", "", None]
)
def test_a_number_that_tells_no_place_is_not_guessed_at(ani: str | None) -> None:
    assert locate(GEOGRAPHY, None, ani, TOLL_FREE) == UNKNOWN


def test_an_area_code_gives_a_state_and_never_a_point() -> None:
    place = locate(GEOGRAPHY, None, "+12085550123", TOLL_FREE)
    assert place == Place("ID", None, None, "ani", None, None)


def test_the_record_keeps_what_is_known_of_the_place() -> None:
    record = at_zip("10001").record()
    assert (record.state, record.zip, record.timezone, record.from_) == ("NY", "10001", EASTERN, "zip")


def test_a_state_covers_the_callers_in_it() -> None:
    assert covered(Coverage(states=frozenset({"NY"})), at_zip("10001")) == (True, "ZIP 10001 is in NY")
    is_covered, reason = covered(Coverage(states=frozenset({"NJ", "CT"})), at_zip("10001"))
    assert not is_covered
    assert reason == "ZIP 10001 is in New York, not in CT, NJ"


def test_a_zip_list_covers_its_zips() -> None:
    coverage = Coverage(zips=frozenset({"10001"}))
    assert covered(coverage, at_zip("10001"))[0]
    assert not covered(coverage, at_zip("07102"))[0]


def test_a_radius_covers_the_zips_within_it() -> None:
    coverage = Coverage(zip="10001", radius_miles=50.0)
    assert covered(coverage, at_zip("10001"))[0]
    assert covered(coverage, at_zip("07102"))[0]
    is_covered, reason = covered(coverage, at_zip("12207"))
    assert not is_covered
    assert reason == "ZIP 12207 is 132.5 miles from ZIP 10001, not in 50 miles around ZIP 10001"


@pytest.mark.parametrize(
    "coverage", [Coverage(zip="10001", radius_miles=500.0), Coverage(zips=frozenset({"10001"}))]
)
def test_a_caller_known_only_by_state_is_in_no_radius_and_no_zip_list(coverage: Coverage) -> None:
    is_covered, reason = covered(coverage, locate(GEOGRAPHY, None, "+12125550123", TOLL_FREE))
    assert not is_covered
    assert "only the state is known" in reason


def test_a_zip_whose_position_is_unknown_is_in_no_radius() -> None:
    is_covered, reason = covered(Coverage(zip="10001", radius_miles=500.0), at_zip("09001"))
    assert not is_covered
    assert "no point to measure from" in reason


def test_an_area_code_is_about_the_callers_number() -> None:
    coverage = Coverage(area_codes=frozenset({"212"}))
    assert covered(coverage, UNKNOWN, "+12125550123") == (True, "area code 212 is listed")
    assert not covered(coverage, at_zip("10001"), "+12015550123")[0]


def test_a_caller_whose_place_is_unknown_is_only_covered_by_anywhere() -> None:
    assert covered(Coverage(anywhere=True), UNKNOWN)[0]
    is_covered, reason = covered(Coverage(states=frozenset({"NY"})), UNKNOWN)
    assert (is_covered, reason) == (False, "the caller's place is unknown, not in NY")


def test_a_radius_around_a_zip_without_a_position_is_refused() -> None:
    with pytest.raises(ValueError, match="position of ZIP 09001 is not known"):
        area_of(Coverage(zip="09001", radius_miles=10.0), GEOGRAPHY)


def test_a_long_list_is_described_by_its_length() -> None:
    zips = frozenset(f"{n:05d}" for n in range(10))
    assert area_of(Coverage(zips=zips), GEOGRAPHY).text == "one of 10 ZIPs"


def test_new_york_is_2446_miles_from_los_angeles() -> None:
    assert miles_between(40.7128, -74.006, 34.0522, -118.2437) == pytest.approx(2446, abs=2)


@pytest.mark.parametrize(
    ("coverage", "place", "ani"),
    [
        (Coverage(states=frozenset({"NY"})), at_zip("10001"), None),
        (Coverage(zips=frozenset({"10001"})), at_zip("10001"), None),
        (Coverage(area_codes=frozenset({"212"})), UNKNOWN, "+12125550123"),
        (Coverage(zip="10001", radius_miles=50.0), at_zip("07102"), None),
        (Coverage(zip="99546", radius_miles=400.0), Place("AK", "99638", None, "zip", 52.9, 179.9), None),
        (Coverage(anywhere=True), UNKNOWN, None),
    ],
)
def test_each_way_to_describe_an_area_covers_the_caller_inside_it(
    coverage: Coverage, place: Place, ani: str | None
) -> None:
    area = area_of(coverage, GEOGRAPHY)
    assert area_covers(area, place, ani)[0]
