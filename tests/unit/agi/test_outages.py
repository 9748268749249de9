"""Many lines at once, as after an outage; and the server that is killed over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

import agi.outcomes
from agi.outcomes import BATCH, Outcomes
from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.calls.calls import Settlement
from ari_app.store.db.errors import DatabaseUnavailable
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from tests.unit.agi.lines import BEGAN, ROOFING, by_others, line, looking, saved, written
from tests.unit.agi.test_services import ON_ANSWER


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls each transaction saved."""
    counts: list[int] = []
    save = calls.save

    def counted(engine: Engine, batch: Sequence[Settlement], **how: Any) -> None:
        save(engine, batch, **how)
        counts.append(len(batch))

    monkeypatch.setattr(calls, "save", counted)
    return counts


def test_the_lines_of_an_outage_are_saved_many_in_one_transaction(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, transactions: list[int]
) -> None:
    written(tmp_path / "fallback.csv", map(by_others, range(2 * BATCH + 1)))
    assert len(saved(outcomes, engine)) == 2 * BATCH + 1
    assert transactions == [BATCH, BATCH, 1]
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []


def test_whose_the_calls_of_an_outage_were_is_asked_once_for_those_that_lie_together(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    asked: list[str] = []

    def read(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM number_assignments" in statement or "FROM marketplace_versions" in statement:
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", read)
    written(tmp_path / "fallback.csv", map(by_others, range(2 * BATCH)))
    assert len(saved(outcomes, engine)) == 2 * BATCH
    assert 0 < len(asked) < 10


def test_calls_of_one_outage_are_each_judged_by_what_was_in_force_when_they_began(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    for n, price in enumerate(("50.00", "60.00"), start=1):
        dearer = ON_ANSWER.replace('price: "42.00"', f'price: "{price}"')
        marketplaces.apply(engine, parse(dearer, "test.yaml"), BEGAN + n * 1_000_000)
    marketplaces.apply(engine, parse(ROOFING, "test.yaml"), BEGAN + 3_000_000)
    written(tmp_path / "fallback.csv", [by_others(n) for n in (3, 0, 2, 1)])
    found = [(record.campaign, record.money and record.money.charged) for record in saved(outcomes, engine)]
    assert found == [("plumbing", 4200), ("plumbing", 5000), ("plumbing", 6000), ("roofing", 900)]


def test_who_calls_twice_in_an_outage_is_a_repeat_caller_all_the_same(
    outcomes: Outcomes, engine: Engine, tmp_path: Path
) -> None:
    clause = "      - {connected_at_least: 90s}\n"
    once = ON_ANSWER.replace(clause, clause + "      - {no_repeat_within: 1d}\n", 1)
    marketplaces.apply(engine, parse(once, "test.yaml"), BEGAN - 1)
    written(tmp_path / "fallback.csv", map(line, range(3)))
    charged = [record.money.charged for record in saved(outcomes, engine) if record.money is not None]
    assert charged == [4200, 0, 0]


def test_of_many_lines_the_one_that_cannot_be_saved_is_put_aside_alone(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = calls.save

    def broken(engine: Engine, batch: Sequence[Settlement], **how: Any) -> None:
        if any(settlement.record.started_at == BEGAN + 5_000_000 for settlement in batch):
            raise KeyError("a defect")
        save(engine, batch, **how)

    monkeypatch.setattr(calls, "save", broken)
    written(tmp_path / "fallback.csv", map(by_others, range(20)))
    assert len(saved(outcomes, engine)) == 19
    assert (tmp_path / "fallback.refused").read_text() == ",".join(by_others(5)) + "\n"


class Killed(BaseException):
    """As by kill -9: nothing of ours sees to anything any more."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_two_batches_the_next_server_saves_the_rest_and_nothing_twice(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    written(tmp_path / "fallback.csv", [["nonsense"], *map(by_others, range(3 * BATCH))])
    save, so_far = calls.save, 0

    def dying(engine: Engine, batch: Sequence[Settlement], **how: Any) -> None:
        nonlocal so_far
        so_far += 1
        if so_far == 2 and moment == "before":
            raise Killed
        save(engine, batch, **how)
        if so_far == 2:
            raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(calls, "save", dying)
        with pytest.raises(Killed):
            saved(looking(engine, tmp_path), engine)
    judge, judged = agi.outcomes.conclude, 0

    def counted(*given: Any) -> Any:
        nonlocal judged
        judged += 1
        return judge(*given)

    monkeypatch.setattr(agi.outcomes, "conclude", counted)
    assert len(saved(looking(engine, tmp_path), engine)) == 3 * BATCH
    assert judged == (2 if moment == "before" else 1) * BATCH  # what is saved is not judged again
    charged = [record.money.charged for record in calls.every(engine) if record.money is not None]
    assert charged == 3 * BATCH * [4200]
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []
    assert (tmp_path / "fallback.refused").read_text() == "nonsense\n"


def test_killed_after_a_line_was_put_aside_it_is_there_once(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "fallback.csv", [["nonsense"], line()])

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr("agi.unfinished.Begun.keep", killed)
        with pytest.raises(Killed):
            saved(looking(engine, tmp_path), engine)
    assert len(saved(looking(engine, tmp_path), engine)) == 1
    assert (tmp_path / "fallback.refused").read_text() == "nonsense\n"


def test_a_refused_line_is_kept_once_however_often_the_database_is_away_meanwhile(
    outcomes: Outcomes, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fallback.csv").write_text("nonsense\n" + ",".join(line()) + "\n")
    outcomes._save_aside(tmp_path / "fallback.csv")
    save = calls.save

    def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(calls, "save", away)
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            outcomes._save_aside(tmp_path / "fallback.csv")
    monkeypatch.setattr(calls, "save", save)
    assert len(saved(outcomes, engine)) == 1
    assert (tmp_path / "fallback.refused").read_text() == "nonsense\n"
