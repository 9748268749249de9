"""`callrace agi run`, beside another one of the same home."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.serving.running import only
from ari_app.settings import Settings
from tests.unit.cli.conftest import Cli, refusal


def test_a_second_one_is_refused_before_it_touches_what_the_first_has_written(
    cli: Cli, settings: Settings, engine: Engine
) -> None:
    """A line that the first is just writing looks torn to the second, which would write the file anew without it."""
    pins = settings.fallback_files[1].with_suffix(".pins")
    unfinished = settings.fallback_files[1].with_suffix(".open.part")
    for path in (pins, unfinished):
        path.write_bytes(b'{"call":"half a li')
    with only(settings, "agi"):
        assert "runs already" in refusal(cli("agi", "run"))
    assert pins.read_bytes() == unfinished.read_bytes() == b'{"call":"half a li'
