"""A request under one name is done once, whoever gets it, and its outcome is kept for a day."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.desk.once import AT_WORK_MS, KEPT_MS, once
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.errors import DocumentError
from ari_app.settings import Settings
from ari_app.store.db import requests
from ari_app.store.db.errors import DatabaseUnavailable

REPO = Path(__file__).parents[2]


def site_at(engine: Engine, now: int) -> Site:
    return Site(Settings(Path("/nonexistent"), str(engine.url)), engine, lambda: now)


class Work:
    """Something that is done; counts how often."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done = 0
        self._error = error

    def __call__(self) -> dict[str, int]:
        self.done += 1
        if self._error is not None:
            raise self._error
        return {"id": self.done}


def test_it_is_done_once_and_told_again(engine: Engine) -> None:
    work, site = Work(), site_at(engine, 1000)
    first = once(site, "key 1", "a", b"POST 42", work)
    again = once(site, "key 1", "a", b"POST 42", work)
    assert (first.answer, first.is_replayed, again.answer, again.is_replayed) == (
        {"id": 1},
        False,
        {"id": 1},
        True,
    )
    assert work.done == 1


def test_other_senders_and_other_names_are_other_requests(engine: Engine) -> None:
    work, site = Work(), site_at(engine, 1000)
    for sender, key in (("key 1", "a"), ("key 2", "a"), ("key 1", "b")):
        once(site, sender, key, b"POST 42", work)
    assert work.done == 3


def test_another_body_under_the_same_name_is_refused(engine: Engine) -> None:
    work, site = Work(), site_at(engine, 1000)
    once(site, "key 1", "a", b"POST 42", work)
    with pytest.raises(Refused, match="another request was sent under the name a"):
        once(site, "key 1", "a", b"POST 43", work)
    assert work.done == 1


@pytest.mark.parametrize("error", [DocumentError(["line 1"]), Refused(Code.PAUSED_ALREADY, name="agent-1")])
def test_what_did_nothing_may_be_sent_again_corrected(engine: Engine, error: Exception) -> None:
    site = site_at(engine, 1000)
    with pytest.raises(type(error)):
        once(site, "key 1", "a", b"wrong", Work(error))
    assert not once(site, "key 1", "a", b"right", Work()).is_replayed


@pytest.mark.parametrize("error", [DatabaseUnavailable("gone"), RuntimeError("a bug")])
def test_what_may_have_been_done_is_never_done_again_by_itself(engine: Engine, error: Exception) -> None:
    work = Work(error)
    with pytest.raises(type(error)):
        once(site_at(engine, 1000), "key 1", "a", b"POST", work)
    with pytest.raises(Refused, match="is being done at this moment"):
        once(site_at(engine, 1000 + AT_WORK_MS - 1), "key 1", "a", b"POST", work)
    with pytest.raises(Refused, match="nobody knows whether"):
        once(site_at(engine, 1000 + AT_WORK_MS), "key 1", "a", b"POST", work)
    assert work.done == 1


def test_after_a_day_the_name_is_free(engine: Engine) -> None:
    work = Work()
    once(site_at(engine, 1000), "key 1", "a", b"POST", work)
    once(site_at(engine, 1000 + KEPT_MS), "key 1", "a", b"POST", work)
    assert work.done == 1
    once(site_at(engine, 1001 + KEPT_MS), "key 1", "a", b"POST", work)
    assert work.done == 2
    assert requests.forget(engine, 1001 + KEPT_MS) == 0
    assert requests.forget(engine, 1002 + KEPT_MS) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "two\nlines"])
def test_a_name_that_is_none_is_refused(engine: Engine, key: str) -> None:
    with pytest.raises(Refused, match="Idempotency-Key"):
        once(site_at(engine, 1000), "key 1", key, b"", Work())


def test_many_at_once_do_it_once(engine: Engine) -> None:
    work, site, together = Work(), site_at(engine, 1000), threading.Barrier(8)
    outcomes: list[str] = []

    def send() -> None:
        together.wait()
        try:
            outcomes.append("replayed" if once(site, "key 1", "a", b"POST", work).is_replayed else "done")
        except Refused as refused:
            outcomes.append(str(refused.code))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert work.done == 1 and outcomes.count("done") == 1
    assert set(outcomes) <= {"done", "replayed", "request_at_work"}


TWO = """
import sys
from pathlib import Path
from ari_app.desk.once import once
from ari_app.desk.refused import Refused
from ari_app.desk.site import Site
from ari_app.settings import Settings
from ari_app.store.db.engine import open_engine
url = sys.argv[1]
site = Site(Settings(Path("/nonexistent"), url), open_engine(url), lambda: 1000)
print("ready", flush=True)
sys.stdin.readline()
did = 0
for n in range(50):
    def do():
        global did
        did += 1
        return {}
    try:
        once(site, "key 1", f"request {n}", b"POST", do)
    except Refused as refused:
        assert refused.code == "request_at_work", refused
print(did)
"""


def test_two_processes_do_each_request_once_between_them(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    both = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, url],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sum(int(process.communicate()[0]) for process in both) == 50
    assert [process.returncode for process in both] == [0, 0]
