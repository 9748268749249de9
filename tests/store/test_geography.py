"""The geography tables, built from the libraries once and then read from a file."""

import shutil
import threading
from pathlib import Path

import pytest

from ari_app.domain.calls.geo import Geography, locate
from ari_app.store import geography as tables
from ari_app.store.geography import GeographyError, load

TOLL_FREE = "+18005550101"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def geography(home: Path) -> Geography:
    return load(home)


def test_a_zip_has_a_state_a_point_and_a_time_zone(geography: Geography) -> None:
    assert geography.zips["10001"] == ("NY", 40.7484, -73.9967, "America/New_York")


def test_a_zip_without_coordinates_has_no_point(geography: Geography) -> None:
    assert geography.zips["09001"] == ("AE", None, None, None)


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("212", ("NY", "America/New_York")),
        ("312", ("IL", "America/Chicago")),
        ("201", ("NJ", "America/New_York")),
        ("203", ("CT", "America/New_York")),
        ("206", ("WA", "America/Los_Angeles")),
        ("202", ("DC", "America/New_York")),
        ("416", ("ON", "America/Toronto")),
        ("257", ("BC", "America/Vancouver")),
        ("787", ("PR", "America/Puerto_Rico")),
        ("671", ("GU", "Pacific/Guam")),
        ("684", ("AS", "Pacific/Pago_Pago")),
    ],
)
def test_an_area_code_has_its_state_and_time_zone(
    geography: Geography, code: str, row: tuple[str, str]
) -> None:
    assert geography.area_codes[code] == row


@pytest.mark.parametrize("code", ["208", "850", "605"])
def test_an_area_code_with_several_time_zones_has_none(geography: Geography, code: str) -> None:
    assert geography.area_codes[code][1] is None


@pytest.mark.parametrize("code", ["800", "888", "900", "500", "876", "242", "867", "902", "211"])
def test_codes_of_no_one_state_are_not_there(geography: Geography, code: str) -> None:
    assert code not in geography.area_codes


def test_a_jamaican_caller_is_of_unknown_place(geography: Geography) -> None:
    assert locate(geography, None, "+18765550123", TOLL_FREE).from_ == "unknown"


def test_the_tables_are_built_once(home: Path, geography: Geography, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(path: Path) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(tables, "_build_apart", again)
    assert load(home) == geography


def test_programs_that_start_together_build_them_once(
    tmp_path: Path, home: Path, geography: Geography, monkeypatch: pytest.MonkeyPatch
) -> None:
    [built] = home.iterdir()
    builds: list[Path] = []

    def build(path: Path) -> None:
        builds.append(path)
        second.start()
        second.join(0.1)  # it waits for its turn: without one it would have begun to build
        shutil.copy(built, path)

    found: list[Geography] = []
    second = threading.Thread(target=lambda: found.append(load(tmp_path)))
    monkeypatch.setattr(tables, "_build_apart", build)
    found.append(load(tmp_path))
    second.join()
    assert found == [geography, geography]
    assert len(builds) == 1


def test_nothing_but_the_whole_file_is_left_behind(home: Path, geography: Geography) -> None:
    [file] = home.iterdir()
    assert file.suffix == ".json"


def test_tables_that_cannot_be_built_are_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(GeographyError, match="cannot build the geography tables in"):
        load(tmp_path / "home")
