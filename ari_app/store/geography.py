"""Builds the geography tables from the libraries zipcodes and phonenumbers, and keeps them in a file.

To read the two libraries takes more than 200 MB of memory; the tables take about 15 MB. So a separate process
(`python -m ari_app.store.geography FILE`) reads the libraries, once for every pair of their versions.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from sys import intern
from typing import Any
from zoneinfo import available_timezones

from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.calls.geo import AreaCodeRow, Geography, ZipRow
from ari_app.store.db.atomic_files import locked

_BUILD_TIMEOUT_S = 120

# How phonenumbers names a state where it differs from STATE_NAMES.
_OTHER_NAMES = {
    "Washington State": "WA",
    "Washington D.C.": "DC",
    "British Colombia": "BC",
    "U.S. Virgin Islands": "VI",
}
# Exchanges to ask the library about. Nobody has the exchange 555, so the answer is about the whole area code. The
# others count only where there is no answer for 555, and only if all of them agree.
_WHOLE = "555"
_EXCHANGES = ("222", "234", "345", "444", "456", "567", "633", "678", "777", "789", "888", "987")


class GeographyError(Exception):
    """The tables could not be built; the message says why."""


def load(home: Path) -> Geography:
    """The tables, from the file in `home`. If there is no file, it is built (a few seconds).

    Programs that start together build it once. Raises GeographyError.
    """
    path = home / f"geo-zipcodes-{version('zipcodes')}-phonenumbers-{version('phonenumbers')}.json"
    if not path.exists():
        _build_once(path)
    tables = json.loads(path.read_text())
    return Geography(
        {code: _zip_row(*row) for code, row in tables["zips"].items()},
        {code: _area_code_row(*row) for code, row in tables["area_codes"].items()},
    )


def build() -> dict[str, Any]:
    """The tables as JSON. This takes much memory: see above."""
    return {"zips": dict(_zips()), "area_codes": dict(_area_codes())}


def main(path: Path) -> None:
    """Writes the tables to `path`: whole, or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(build(), separators=(",", ":")))
    part.replace(path)


def _build_once(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.parent):
            if not path.exists():
                _build_apart(path)
    except OSError as error:
        raise GeographyError(f"cannot build the geography tables in {path}: {error.strerror}") from error


def _build_apart(path: Path) -> None:
    command = [sys.executable, "-m", "ari_app.store.geography", str(path)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S)
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        raise GeographyError(f"cannot build the geography tables in {path}: {reason[0]}") from error
    except subprocess.TimeoutExpired as error:
        message = f"cannot build the geography tables in {path}: not done in {_BUILD_TIMEOUT_S} s"
        raise GeographyError(message) from error


def _zip_row(state: str, latitude: float | None, longitude: float | None, timezone: str | None) -> ZipRow:
    return intern(state), latitude, longitude, intern(timezone) if timezone else None


def _area_code_row(state: str, timezone: str | None) -> AreaCodeRow:
    return intern(state), intern(timezone) if timezone else None


def _zips() -> Iterator[tuple[str, ZipRow]]:
    import zipcodes

    zones = available_timezones()
    for row in zipcodes.list_all():  # type: ignore[no-untyped-call]
        latitude, longitude = float(row["lat"]), float(row["long"])
        has_point = (latitude, longitude) != (0.0, 0.0)
        timezone = row["timezone"] if row["timezone"] in zones else None
        point = (latitude, longitude) if has_point else (None, None)
        yield row["zip_code"], (row["state"], *point, timezone)


def _area_codes() -> Iterator[tuple[str, AreaCodeRow]]:
    for number in range(200, 1_000):
        code = str(number)
        state = _state_of(code)
        if state is not None:
            yield code, (state, _timezone_of(code))


def _state_of(code: str) -> str | None:
    whole = _states_at(code, _WHOLE)
    if whole:
        return whole.pop()
    parts: set[str] = set()
    for exchange in _EXCHANGES:
        parts |= _states_at(code, exchange)
    return parts.pop() if len(parts) == 1 else None


def _states_at(code: str, exchange: str) -> set[str]:
    """The state in the geocoder's answer, such as "Chicago, IL" or "New Jersey"; empty for "Jamaica" or no answer."""
    from phonenumbers import PhoneNumber, geocoder

    number = PhoneNumber(country_code=1, national_number=int(f"{code}{exchange}2368"))
    name = geocoder.description_for_valid_number(number, "en").rpartition(", ")[2]
    codes = {full: short for short, full in STATE_NAMES.items()} | _OTHER_NAMES
    state = codes.get(name) or (name if name in STATE_NAMES else None)
    return {state} if state else set()


def _timezone_of(code: str) -> str | None:
    """The area code's time zone, if all of it shares one."""
    from phonenumbers import PhoneNumber, timezone

    zones: set[str] = set()
    for exchange in (_WHOLE, *_EXCHANGES):
        number = PhoneNumber(country_code=1, national_number=int(f"{code}{exchange}2368"))
        zones.update(timezone.time_zones_for_geographical_number(number))
    return zones.pop() if len(zones) == 1 and not zones & {timezone.UNKNOWN_TIMEZONE} else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
