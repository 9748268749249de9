"""After a caller is erased the number is in no file of HOME, in none of its spellings."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine

from ari_app.ari.events import now_ms
from ari_app.domain.calls.record import CallRecord, ClauseResult, TimelineEvent, Verdict
from ari_app.domain.routing.recovery import UnderWay
from ari_app.domain.terms.conversions import Told
from ari_app.domain.terms.wire import pack_over, pack_under_way
from ari_app.serving import running
from ari_app.settings import Settings, refused_file
from ari_app.store.calls import calls
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.money import conversions
from tests.samples import BEGAN, make_call, settlement, waiting
from tests.unit.cli.conftest import Cli, refusal

ANI, OTHER = "+12125550142", "+12125550199"
SPELT = re.compile(
    rb"2125550142"
)  # with + or without, URL-escaped, with its country or without: all hold this


def having(settings: Settings) -> list[str]:
    """The files of HOME that have the number, looked for as a stranger would."""
    found = (path for path in settings.home.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(settings.home)) for path in found if SPELT.search(path.read_bytes()))


def talkative(n: int, ani: str = ANI, **changes: object) -> CallRecord:
    """A call that names its caller wherever a record can."""
    clause = ClauseResult("no_repeat_within", False, f"{ani} was last connected an hour before")
    events = [TimelineEvent(BEGAN, "received", f"{ani} called +18005550101")] * 30
    return make_call(n, ani=ani, events=events, qualification=Verdict(False, [clause]), money=None, **changes)


def line(ani: str, n: int) -> str:
    """A call that the dialplan served by itself."""
    return f"{BEGAN},1763.{n},+18005550101,{ani},,,NOANSWER,,,{BEGAN + 5000},\n"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def home(applied: Engine, settings: Settings) -> Iterator[Settings]:
    """A home in which a caller has left traces everywhere; somebody has the database open, as a switch has."""
    with closing(sqlite3.connect(settings.home / "callrace.db")) as reader:
        calls.save(applied, [settlement(talkative(n, ANI if n % 3 else OTHER)) for n in range(200)])
        calls.save(applied, [settlement(waiting(500, ani=ANI))])
        conversions.tell(applied, [Told(waiting(500).id, BEGAN + 10**6, ANI)], BEGAN + 10**6)
        spool = Spool(settings.spool)
        spool.put([settlement(talkative(300)), settlement(talkative(301, OTHER))])
        spool.refuse(settlement(talkative(302)), f"value too long: {ANI}\nparameters {ANI}")
        put(settings.spool / "refused" / f"{BEGAN:013x}-old.json.part", f'{{"ani": "{ANI}"}}')
        os.utime(settings.spool / "refused" / f"{BEGAN:013x}-old.json.part", (1, 1))
        left = UnderWay(talkative(401, OTHER), {"caller": "channel"}, 1)
        over = UnderWay(talkative(402), {"caller": "channel"}, 1)
        lines = [pack_under_way(left), pack_under_way(over), pack_over(over.record.id), b""]
        put(settings.journal / "7.jsonl", b"\n".join(lines).decode())
        put(settings.journal / "6.jsonl.unreadable", f'{{"ani": "{ANI}", half a line')
        Journal(settings.journal).aside.put(
            UnderWay(talkative(403), {"caller": "channel"}, 1, entered_zip="1"), f"of {ANI}"
        )
        for file in settings.fallback_files:
            put(file, line(ANI, 1) + line(OTHER, 2))
            put(file.with_suffix(".aside"), line(ANI, 3))
            put(file.with_suffix(".refused"), f"{ANI},nonsense\n")
            put(file.with_suffix(".open"), f"{BEGAN},1763.9,+18005550101,{ANI},,,,,,,\n")
        put(settings.home / "switch.log", f"channel of %2B12125550142\n1{ANI[2:]} and {ANI[2:]}\n" * 20_000)
        put(settings.asterisk_log, f"WARNING: sip:{ANI}@127.0.0.1 is gone\n")
        reader.execute("SELECT count(*) FROM calls").fetchone()
        yield settings


def test_no_file_has_the_number_any_more(home: Settings, cli: Cli) -> None:
    assert len(having(home)) > 15
    result = cli("privacy", "erase", ANI)
    assert result.exit_code == 0, result.output
    assert having(home) == []
    assert json.loads(cli("privacy", "erase", ANI, "--json").output) == {
        "calls": 0,
        "under_way": [],
        "left": [],
    }


AGE_MS = now_ms() - BEGAN - 3_600_000  # all calls here are older, by an hour or nearly


def expired(cli: Cli) -> Result:
    """After all who called an hour after BEGAN, or before, are forgotten."""
    return cli("privacy", "expire", "--older-than", f"{AGE_MS // 1000}s")


def old(home: Settings) -> None:
    """Nobody has written to what has no dates for as long."""
    for path in home.home.rglob("*"):
        if path == home.asterisk_log or path.suffix in (".log", ".unreadable", ".refused", ".part"):
            os.utime(path, (BEGAN / 1000, BEGAN / 1000))


def test_who_is_forgotten_by_age_is_in_no_file_but_those_that_are_named(home: Settings, cli: Cli) -> None:
    old(home)
    result = expired(cli)
    assert result.exit_code == 1
    named = [path for path in having(home) if f"{home.home}/{path}: not written to since" in result.stderr]
    assert named == having(home)
    for path in named:
        (home.home / path).unlink()
    assert expired(cli).exit_code == 0
    assert having(home) == []


def test_who_called_since_is_not_forgotten(home: Settings, applied: Engine, cli: Cli) -> None:
    new = talkative(5000, started_at=now_ms() - 1000)
    calls.save(applied, [settlement(new)])
    Journal(home.journal).aside.put(UnderWay(new, {"caller": "channel"}, 1), f"of {ANI}")
    for file in home.fallback_files:
        put(refused_file(file), f"{now_ms()},1763.9,+18005550101,{ANI},,,,,,,\n" + line(ANI, 1))
    expired(cli)
    assert [record.ani for record in calls.every(applied) if record.ani is not None] == [ANI]
    assert [call.record.ani for call in Journal(home.journal).aside.calls()] == [None, ANI]
    for file in home.fallback_files:
        kept, forgotten = refused_file(file).read_text().splitlines()
        assert ANI in kept
        assert forgotten == line(" " * len(ANI), 1).rstrip("\n")


def test_free_space_is_emptied_of_those_who_are_forgotten_by_age(
    applied: Engine, settings: Settings, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(settings.home / "callrace.db", isolation_level=None)) as careless:
        careless.execute("PRAGMA secure_delete = OFF")
        careless.execute("CREATE TABLE scrap (text)")
        careless.execute("INSERT INTO scrap VALUES (?)", (f"{ANI} " * 1000,))
        careless.execute("DELETE FROM scrap")
    calls.save(applied, [settlement(talkative(1))])
    with monkeypatch.context() as beside_a_switch:
        beside_a_switch.setattr(running, "running_pid", lambda settings, program="switch": 1)
        beside_a_switch.setattr(running, "renew_journal", lambda settings: None)
        assert "in free space, or in what people wrote; run this again while no switch runs" in refusal(
            expired(cli)
        )
    assert expired(cli).exit_code == 0
    assert having(settings) == []


def test_nobody_else_is_erased_and_no_line_is_lost(home: Settings, applied: Engine, cli: Cli) -> None:
    cli("privacy", "erase", ANI)
    assert sum(record.ani == OTHER for record in calls.every(applied)) == 67
    for file in home.fallback_files:
        assert file.read_text() == line(" " * len(ANI), 1) + line(OTHER, 2)
    journal = Journal(home.journal)
    assert [call.record.ani for call in journal.left()] == [OTHER]
    assert [(call.record.ani, call.entered_zip) for call in journal.aside.calls()] == [(None, None)]


def test_when_the_switch_last_lived_stays_told(home: Settings, cli: Cli) -> None:
    for path in home.journal.iterdir():
        os.utime(path, (1000, 1000))
    cli("privacy", "erase", ANI)
    assert (home.journal / "8.jsonl").stat().st_mtime == 1000


def test_a_call_that_a_switch_left_is_named_and_stays_whole(
    applied: Engine, settings: Settings, cli: Cli
) -> None:
    put(
        settings.journal / "1.jsonl",
        pack_under_way(UnderWay(talkative(1), {"caller": "c"}, 1)).decode() + "\n",
    )
    said = refusal(cli("privacy", "erase", ANI))
    assert f"the number is still in {settings.journal}/2.jsonl: in a call that is not over" in said
    assert [call.record.ani for call in Journal(settings.journal).left()] == [ANI]


def test_what_somebody_wrote_of_the_caller_is_named(applied: Engine, settings: Settings, cli: Cli) -> None:
    call = make_call(1, ended_at=BEGAN + 200_000)
    calls.save(applied, [settlement(call)])
    words = ("ledger", "adjust", call.id, "--price", "-1.00", "--reason", f"asked by {ANI}", "--key", "k")
    assert cli(*words).exit_code == 0
    assert "callrace.db: in what people wrote" in refusal(cli("privacy", "erase", ANI))


def test_free_space_is_emptied_of_a_database_from_before_that_was_seen_to(
    applied: Engine, settings: Settings, cli: Cli
) -> None:
    with closing(sqlite3.connect(settings.home / "callrace.db", isolation_level=None)) as careless:
        careless.execute("PRAGMA secure_delete = OFF")
        careless.execute("CREATE TABLE scrap (text)")
        careless.execute("INSERT INTO scrap VALUES (?)", (f"{ANI} " * 1000,))
        careless.execute("DELETE FROM scrap")
    assert having(settings) != []
    assert cli("privacy", "erase", ANI).exit_code == 0
    assert having(settings) == []


def test_beside_a_running_agi_server_what_it_is_to_read_is_left_to_it(
    applied: Engine, settings: Settings, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        running, "running_pid", lambda settings, program="switch": 1 if program == "agi" else None
    )
    monkeypatch.setattr("ari_app.serving.traces.PATIENCE_S", 0.1)
    told, refused = settings.fallback_files[1], settings.fallback_files[1].with_suffix(".refused")
    put(told, line(ANI, 1))
    put(refused, f"{ANI},nonsense\n")
    assert f"the number is still in {told}: in a call that is not over, or not saved" in refusal(
        cli("privacy", "erase", ANI)
    )
    assert told.read_text() == line(ANI, 1)
    assert having(settings) == ["fallback.csv"]


def test_beside_a_running_switch_its_journal_is_begun_anew(
    applied: Engine, settings: Settings, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(settings.journal)
    journal.start()
    over = UnderWay(talkative(1), {"caller": "c"}, 1)
    journal.keep(over)
    journal.keep(UnderWay(talkative(2, OTHER), {"caller": "c"}, 1))
    while not having(settings):
        assert journal.is_usable
    journal.forget([over.record.id])
    monkeypatch.setattr(running, "running_pid", lambda settings, program="switch": 1)
    monkeypatch.setattr(running, "ask", lambda settings, resource: [])
    monkeypatch.setattr(running, "renew_journal", lambda settings: journal.compact())
    assert cli("privacy", "erase", ANI).exit_code == 0
    assert having(settings) == []
    journal.close()
