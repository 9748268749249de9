"""What calls of the dialplan are pinned to, over restarts and however many never end."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from agi import pins as module
from agi.pins import Pins
from ari_app.domain.routing.snapshot import Pin
from ari_app.store.db.atomic_files import write_whole

PIN = Pin(3, "plumbing", "homefix", "side, bar", 2, "complaints")


def test_a_pin_is_there_after_a_restart_until_its_call_is_over(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "fallback.pins"
    Pins(file).add("a", PIN)
    again = Pins(file)
    assert again.of("a") == PIN
    assert again.of("b") is None
    again.forget(["a", "b"])
    assert again.of("a") is None


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "fallback.pins"
    Pins(file).add("a", PIN)
    with file.open("ab") as lines:
        lines.write(file.read_bytes()[:20])
    again = Pins(file)
    assert len(again) == 1
    again.add("b", PIN)
    assert Pins(file).of("b") == PIN


def test_calls_that_are_over_leave_the_file_and_those_that_never_end_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIDY_AT", 5)
    monkeypatch.setattr(module, "LIMIT", 10)
    file = tmp_path / "fallback.pins"
    pins = Pins(file)
    for n in range(100):
        pins.add(f"call-{n}", PIN)
        if n % 2:
            pins.forget([f"call-{n}"])
    assert len(pins) <= 10
    assert len(file.read_bytes().splitlines()) < 50
    assert Pins(file).of("call-98") == PIN


def test_a_call_is_pinned_while_the_disk_takes_its_time_to_forget_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIDY_AT", 0)
    file = tmp_path / "fallback.pins"
    pins = Pins(file)
    pins.add("a", PIN)

    def slow(path: Path, content: bytes) -> None:
        adding = Thread(target=pins.add, args=("b", PIN), daemon=True)
        adding.start()
        adding.join(5)
        assert not adding.is_alive()
        write_whole(path, content)

    monkeypatch.setattr(module, "write_whole", slow)
    pins.forget(["a"])
    again = Pins(file)
    assert (again.of("a"), again.of("b")) == (None, PIN)
