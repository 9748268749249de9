"""The running switch: one of a home, found and stopped by its lock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ari_app.serving import running
from ari_app.serving.running import SwitchError, SwitchNotRunning, only_switch
from ari_app.settings import Settings

HOLD = """
import sys, threading
from ari_app.serving.running import only_switch
from ari_app.settings import Settings
if sys.argv[1] == "deaf":
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with only_switch(Settings.from_env()):
    print("held", flush=True)
    threading.Event().wait(60)
"""


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A home of its own, with a path that fits a Unix socket's."""
    with TemporaryDirectory(prefix="callrace-") as home:
        yield Settings(Path(home), f"sqlite:///{home}/callrace.db")


class Holder:
    """Another process that is the switch."""

    def __init__(self, settings: Settings, how: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, how],
            env={**os.environ, "CALLRACE_HOME": str(settings.home)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> subprocess.Popen[str]:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_running_switch_is_found_by_its_pid(settings: Settings) -> None:
    with Holder(settings) as process:
        assert running.running_pid(settings) == process.pid


def test_a_second_switch_of_the_same_home_is_refused(settings: Settings) -> None:
    with (
        Holder(settings) as process,
        pytest.raises(SwitchError, match=rf"a switch runs already \(pid {process.pid}\)"),
        only_switch(settings),
    ):
        pass


def test_a_killed_switch_is_not_running_though_its_pid_is_in_the_file(settings: Settings) -> None:
    with Holder(settings) as process:
        process.kill()
        process.wait()
    assert running.pid_file(settings).read_text() == f"{process.pid}\n"
    assert running.running_pid(settings) is None
    with only_switch(settings):
        assert running.pid_file(settings).read_text() == f"{os.getpid()}\n"


def test_no_home_yet_is_no_switch(settings: Settings) -> None:
    assert running.running_pid(settings) is None
    assert running.stop(settings, 1) is False


def test_stop_returns_when_the_switch_is_gone(settings: Settings) -> None:
    with Holder(settings) as process:
        assert running.stop(settings, 10) is True
        assert process.wait(1) is not None


def test_stop_gives_up_on_a_switch_that_does_not_end(settings: Settings) -> None:
    with (
        Holder(settings, "deaf"),
        pytest.raises(SwitchError, match=r"has not ended within 0\.2 s; see .*switch\.log"),
    ):
        running.stop(settings, 0.2)


def test_a_home_whose_path_is_too_long_for_a_socket_is_refused(settings: Settings) -> None:
    home = settings.home / ("long" * 30)
    with (
        pytest.raises(SwitchError, match="set CALLRACE_HOME to a shorter one"),
        only_switch(replace(settings, home=home)),
    ):
        pass


def test_asking_without_a_switch_says_that_none_runs(settings: Settings) -> None:
    with pytest.raises(SwitchNotRunning, match="no switch is running"):
        running.ask(settings, "/status")
