"""`callrace daily`: what a timer runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.cli import common
from ari_app.desk.daily import JOBS
from tests.unit.cli.conftest import Cli, refusal


def test_the_daily_jobs_are_done_in_order_and_one_that_fails_keeps_none_from_being_done(
    cli: Cli, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = cli("daily")
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        ["conversions expire: 0", "outbox forget: 0", "recordings expire: 0", "requests forget: 0"],
    )

    def fail(*_: object) -> int:
        raise OSError("no space left")

    monkeypatch.setitem(JOBS, "conversions expire", fail)
    done = cli("daily")
    assert (done.exit_code, done.stdout.splitlines()) == (
        1,
        ["outbox forget: 0", "recordings expire: 0", "requests forget: 0"],
    )
    assert done.stderr.splitlines() == ["callrace: conversions expire: no space left"]


def test_the_daily_jobs_share_one_way_to_the_database(
    cli: Cli, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []

    def open_once() -> Engine:
        opened.append(engine)
        return engine

    monkeypatch.setattr(common, "database", open_once)
    assert cli("daily").exit_code == 0
    assert len(opened) == 1


def test_a_database_that_is_away_is_told_of_once_and_not_for_each_job(cli: Cli, tmp_path: Path) -> None:
    away = {"CALLRACE_DATABASE_URL": f"sqlite:///{tmp_path}"}  # a folder is no database
    assert refusal(cli("daily", env=away)).startswith(
        f"callrace: the database sqlite:///{tmp_path} cannot be used"
    )
