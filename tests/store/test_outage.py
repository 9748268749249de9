"""The database goes away and comes back: every call is in it once, in the order of settlement."""

from __future__ import annotations

from pathlib import Path
from random import Random

from ari_app.domain.ledger.verification import verify
from ari_app.store.calls import calls
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.ledger import ledger
from tests.samples import make_call, settlement
from tests.store.postgres import cluster

PATIENCE_S = 30


def test_calls_settled_while_postgresql_is_down_post_once_and_in_order_when_it_is_back(
    tmp_path: Path,
) -> None:
    told: list[str] = []
    with cluster() as postgres:
        engine = open_engine(postgres.url)
        schema.upgrade(engine)
        subject = Writer(
            engine,
            Spool(tmp_path),
            gather_s=0.01,
            on_saved=lambda saved: told.extend(one.record.id for one in saved),
        )
        subject.submit(settlement(make_call(1)))
        assert subject.flush(PATIENCE_S)
        postgres.stop()
        for n in range(2, 150):
            subject.submit(settlement(make_call(n)))
        assert subject.close(PATIENCE_S) == 148  # the switch ends while the database is away
        subject = Writer(
            engine,
            Spool(tmp_path),
            gather_s=0.01,
            on_saved=lambda saved: told.extend(one.record.id for one in saved),
        )
        for n in range(150, 201):
            subject.submit(settlement(make_call(n)))
        assert subject.flush(0.01) is False
        postgres.start()
        assert subject.flush(PATIENCE_S)
        assert subject.close(PATIENCE_S) == 0
        assert told == [make_call(n).id for n in range(1, 201)]
        assert (
            verify(list(ledger.all_transfers(engine)), calls.every(engine), now=make_call(200).started_at)
            == []
        )
        engine.dispose()


def test_postgresql_that_crashes_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    moments = Random(1)
    with cluster() as postgres:
        engine = open_engine(postgres.url)
        schema.upgrade(engine)
        subject = Writer(engine, Spool(tmp_path), gather_s=0.001)
        wanted = [settlement(make_call(n)) for n in range(1, 301)]
        for n, one in enumerate(wanted):
            subject.submit(one)
            if n in (60, 140, 220):
                subject.flush(moments.uniform(0, 0.05))  # some batch is under way
                postgres.stop()
                postgres.start()
        assert subject.flush(PATIENCE_S)
        subject.close(PATIENCE_S)
        assert [call.id for call in calls.every(engine)] == [one.record.id for one in wanted]
        assert sum(len(one.transfers) for one in wanted) == len(list(ledger.all_transfers(engine)))
        engine.dispose()
