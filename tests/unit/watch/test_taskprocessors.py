"""Asterisk's log is read for task processors that overflow: what is new in it, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ari_app.watch.taskprocessors import LATELY_S, TaskProcessors

LINE = (
    "[2026-11-25 12:00:00.000] WARNING[17] taskprocessor.c: The 'stasis/m:cache-00000042' task processor queue "
    "reached 500 scheduled tasks{}.\n"
)
NAME = "stasis/m:cache-00000042"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "messages"
    path.write_text("[...] NOTICE[1] loader.c: 105 modules will be loaded.\n")
    return path


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_an_alarm_is_told_for_a_while(log: Path) -> None:
    subject = TaskProcessors(log)
    assert subject.look(0.0) == {}
    add(log, LINE.format(" again"))
    assert subject.look(1.0) == {NAME: 500}
    assert subject.look(LATELY_S) == {NAME: 500}
    assert subject.look(1.0 + LATELY_S) == {}


def test_what_was_said_before_the_switch_began_is_over(log: Path) -> None:
    add(log, LINE.format(""))
    assert TaskProcessors(log).look(0.0) == {}


def test_half_a_line_is_read_when_it_is_whole(log: Path) -> None:
    subject, line = TaskProcessors(log), LINE.format("")
    add(log, line[:90])
    assert subject.look(0.0) == {}
    add(log, line[90:])
    assert subject.look(1.0) == {NAME: 500}


def test_a_log_that_is_begun_anew_is_read_from_its_beginning(log: Path) -> None:
    subject = TaskProcessors(log)
    log.write_text(LINE.format("")[:40].replace("WARNING", "NOTICE") + "\n")
    subject.look(0.0)
    log.write_text("")
    add(log, LINE.format(""))
    assert subject.look(1.0) == {NAME: 500}


def test_without_a_log_nothing_is_known(tmp_path: Path) -> None:
    assert TaskProcessors(tmp_path / "no" / "log").look(0.0) == {}
