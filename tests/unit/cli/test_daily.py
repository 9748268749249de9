"""`callrace daily`: what a timer runs."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ari_app.cli.daily import JOBS
from tests.unit.cli.conftest import Cli


def test_the_daily_jobs_are_done_in_order_and_one_that_fails_keeps_none_from_being_done(
    cli: Cli, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("daily")
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        ["conversions expire: 0", "recordings expire: 0"],
    )

    def fail() -> int:
        raise OSError("no space left")

    monkeypatch.setitem(JOBS, "conversions expire", fail)
    done = cli("daily")
    assert (done.exit_code, done.stdout.splitlines()) == (1, ["recordings expire: 0"])
    assert done.stderr.splitlines() == ["callrace: conversions expire: no space left"]
