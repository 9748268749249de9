"""Callers are taken out of what is saved, and the money stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.domain.calls.record import Tracks
from ari_app.domain.ledger.verification import verify
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls, privacy, recordings
from ari_app.store.calls.spool import Spool
from ari_app.store.db.errors import SpoolUnusable
from ari_app.store.ledger import ledger
from ari_app.store.money import conversions
from tests.samples import BEGAN, make_call, settlement, waiting

ANI, OTHER = "+12125550142", "+12125550199"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool; recordings would be beside it."""
    return Spool(tmp_path / "spool")


def erase(engine: Engine, spool: Spool) -> int:
    return privacy.erase_caller(engine, spool, spool.folder.parent, ANI, BEGAN)


def test_a_caller_is_taken_out_of_every_call_and_nobody_else_is(engine: Engine, spool: Spool) -> None:
    calls.save(engine, [settlement(make_call(n, ani=ANI if n < 3 else OTHER)) for n in range(5)])
    balances = ledger.balances(engine)
    assert erase(engine, spool) == 3
    assert [record.ani for record in calls.every(engine)] == [None] * 3 + [OTHER] * 2
    assert ledger.balances(engine) == balances
    assert verify(list(ledger.all_transfers(engine)), calls.every(engine), BEGAN) == []
    assert erase(engine, spool) == 0


def test_callers_of_old_calls_are_forgotten_however_many(engine: Engine, spool: Spool, monkeypatch) -> None:
    monkeypatch.setattr(privacy, "_AT_ONCE", 2)
    saved = [make_call(n) for n in range(5)]
    calls.save(engine, [settlement(record) for record in saved])
    assert privacy.erase_before(engine, spool, spool.folder.parent, saved[-1].started_at, BEGAN) == 4
    assert [record.ani is None for record in calls.every(engine)] == [True] * 4 + [False]


def test_a_caller_is_taken_out_of_calls_that_wait_for_the_database_or_were_refused(
    engine: Engine, spool: Spool
) -> None:
    spool.put([settlement(make_call(1, ani=ANI)), settlement(make_call(2, ani=OTHER))])
    spool.refuse(settlement(make_call(3, ani=ANI)), f"no such table\n[parameters: ('{ANI}',)]")
    assert erase(engine, spool) == 2
    assert not [path for path in spool.folder.rglob("*.*") if ANI in path.read_text()]
    assert [kept.reason for kept in spool.kept()] == [None, None, "no such table"]
    first, second = spool.oldest(2)
    assert first.record.ani is None and list(first.transfers) == settlement(make_call(1)).transfers
    assert second == settlement(make_call(2, ani=OTHER))
    calls.save(engine, [first])
    assert erase(engine, spool) == 0


def test_old_calls_in_the_spool_lose_their_callers_too(engine: Engine, spool: Spool) -> None:
    old, new = make_call(1), make_call(2)
    spool.put([settlement(old), settlement(new)])
    assert privacy.erase_before(engine, spool, spool.folder.parent, new.started_at, BEGAN) == 1
    assert [call.record.ani for call in spool.oldest(2)] == [None, new.ani]


def test_a_file_of_which_nobody_knows_whose_call_it_is_is_not_passed_over(
    engine: Engine, spool: Spool
) -> None:
    spool.put([settlement(make_call(1))])
    (file,) = spool.folder.glob("*.json")
    file.write_text("{")
    with pytest.raises(SpoolUnusable, match="look yourself whose call it is"):
        erase(engine, spool)


def test_what_becomes_of_a_call_while_its_caller_is_erased_stays(
    engine: Engine, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, remove = waiting(1, ani=ANI), privacy.remove_files
    calls.save(engine, [settlement(call)])
    told_at = (call.ended_at or 0) + 1000

    def tell_meanwhile(folder: Path, call_id: str) -> None:
        assert conversions.tell(engine, [Told(call_id, told_at, None)], told_at)[0].became == "decided"
        remove(folder, call_id)

    monkeypatch.setattr(privacy, "remove_files", tell_meanwhile)
    assert erase(engine, spool) == 1
    after = calls.get(engine, call.id)
    assert after is not None and after.money is not None and after.conversion is not None
    assert (after.ani, after.money.charged, after.waits_until) == (None, 4200, None)


def test_a_caller_who_is_erased_while_recordings_expire_stays_erased(
    engine: Engine, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, remove = make_call(1, ani=ANI, recording=Tracks(BEGAN, BEGAN + 1)), recordings.remove_files
    calls.save(engine, [settlement(call)])

    def erase_meanwhile(folder: Path, call_id: str) -> None:
        erase(engine, spool)
        remove(folder, call_id)

    monkeypatch.setattr(recordings, "remove_files", erase_meanwhile)
    recordings.expire(engine, spool.folder.parent, BEGAN + 2)
    after = calls.get(engine, call.id)
    assert after is not None and after.ani is None
    assert [event.what for event in after.events].count("recording deleted") == 1
