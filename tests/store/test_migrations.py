"""A database with a ledger in it is brought up to date without losing or loosening anything."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, delete, inspect, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from ari_app.domain.document.reading import parse
from ari_app.domain.ledger.balances import balances
from ari_app.domain.ledger.transfers import Transfer, deposit, partial_reversal, payout, reversal
from ari_app.domain.terms.conversions import Told
from ari_app.store.calls import calls
from ari_app.store.db import schema
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.tables import cap_rules, transfers
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from ari_app.store.money import audit, conversions, corrections
from ari_app.store.reports import rollups
from tests.kit.market import marketplace
from tests.samples import BEGAN, make_call, settlement, waiting

DEPOSIT = deposit("payment", "acme", 100_000, "USD", at=BEGAN)
HOLD = Transfer("hold", "hold", "advertiser:acme", "exchange", 4200, "USD", BEGAN)
POST = replace(HOLD, key="post", kind="post", resolves="hold")


@pytest.fixture
def old(empty: Engine) -> Engine:
    """A database as it was before billing: a deposit that was taken back, and a hold that was posted."""
    with writing(empty) as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004-1")
        ledger.add_of_calls(connection, [DEPOSIT, reversal(DEPOSIT, BEGAN, "bounced"), HOLD, POST])
    return empty


def test_every_transfer_is_kept_in_its_order(old: Engine) -> None:
    before = list(ledger.all_transfers(old))
    schema.upgrade(old)
    assert list(ledger.all_transfers(old)) == before
    assert ledger.balances(old) == balances(before)


def test_transfers_still_cannot_be_changed(old: Engine) -> None:
    schema.upgrade(old)
    with pytest.raises(DBAPIError, match="never changed"), writing(old) as connection:
        connection.execute(delete(transfers))


@pytest.mark.parametrize(
    "wrong",
    [
        deposit("payment", "acme", 1, "USD", at=BEGAN),  # the key is taken
        Transfer("x", "post", "advertiser:acme", "exchange", 1, "USD", BEGAN, resolves="no such hold"),
        replace(POST, key="again", kind="void"),  # the hold has ended
        Transfer("x", "adjust", "exchange", "advertiser:acme", 1, "USD", BEGAN, call_id="no such call"),
        Transfer("x", "gift", "exchange", "world", 1, "USD", BEGAN),  # type: ignore[arg-type]
        partial_reversal(DEPOSIT, "y", 1, BEGAN, "it is all taken back already"),
    ],
)
def test_what_was_refused_is_refused_still(old: Engine, wrong: Transfer) -> None:
    schema.upgrade(old)
    with pytest.raises(IntegrityError), writing(old) as connection:
        ledger.add_of_calls(connection, [wrong])


def test_the_indexes_are_all_there(old: Engine) -> None:
    before = {index["name"] for index in inspect(old).get_indexes("transfers")}
    schema.upgrade(old)
    assert {index["name"] for index in inspect(old).get_indexes("transfers")} > before


def test_a_payout_can_be_written_then(old: Engine) -> None:
    schema.upgrade(old)
    assert ledger.post(old, payout("run", "homefix", 3000, "USD", at=BEGAN))


def test_what_reports_counted_is_counted_net_and_at_its_moment_after_an_upgrade(empty: Engine) -> None:
    """As it was before 0015: the verdicts' money in the calls' hours, corrections nowhere; one call not counted."""
    with writing(empty) as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    sold = waiting(3)
    calls.save(empty, [settlement(make_call(1)), settlement(make_call(2, publisher=None)), settlement(sold)])
    corrections.adjust(empty, make_call(1).id, "k", 1000, 700, BEGAN + 86_400_000, "bad line")
    conversions.tell(empty, [Told(sold.id, BEGAN + 2 * 86_400_000, None)], BEGAN + 2 * 86_400_000)
    right = _rollups(empty)
    with writing(empty) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0014")
        for table in rollups.CALL_TABLES:
            connection.execute(delete(table).where(table.c.incoming == 0))
            connection.execute(update(table).values(revenue=99, payout=98))
    schema.upgrade(empty)
    assert _rollups(empty) == right
    assert audit.findings(empty) == []


def _rollups(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with reading(engine) as connection:
        return {
            table.name: [
                dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in rollups.CALL_TABLES
        }


def test_the_caps_in_force_are_known_after_an_upgrade(empty: Engine) -> None:
    schema.upgrade(empty)
    document = marketplace({"agent": "sip:agent@127.0.0.1"})
    caps = [{"max": 5, "per": "day"}, {"max_amount": "9.00", "per": "week"}, {"concurrent": 2}]
    for part, name in (("campaigns", "plumbing"), ("advertisers", "acme"), ("destinations", "agent")):
        document[part][name]["caps"] = caps
    document["publishers"]["homefix"] |= {"timezone": "Asia/Tokyo", "caps": [{"max": 5, "per": "total"}]}
    marketplaces.apply(empty, parse(json.dumps(document), "t.yaml"), BEGAN)
    rows = select(cap_rules).order_by(cap_rules.c.key)
    with reading(empty) as connection:
        before = connection.execute(rows).all()
    assert len(before) == 7
    with writing(empty) as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0017")
        command.upgrade(config, "head")
    with reading(empty) as connection:
        assert connection.execute(rows).all() == before


def test_a_ledger_with_holds_that_were_released_in_part_can_go_back_and_forth(empty: Engine) -> None:
    """Before 0011 a hold ended once; what has been released in part stays so, as nothing in the ledger is changed."""
    schema.upgrade(empty)
    call = make_call(1)
    assert call.money is not None
    call.money.reserved = 9000
    calls.save(empty, [settlement(call)], of_others=True)
    before = list(ledger.all_transfers(empty))
    assert "void" in {transfer.kind for transfer in before}
    with writing(empty) as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0010")
    schema.upgrade(empty)
    assert list(ledger.all_transfers(empty)) == before
    hold = next(transfer for transfer in before if transfer.kind == "hold")
    with pytest.raises(IntegrityError), writing(empty) as connection:
        ledger.add_of_calls(connection, [replace(hold, key="again", kind="void", resolves=hold.key)])
