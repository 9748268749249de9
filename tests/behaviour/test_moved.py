"""A destination that becomes another advertiser's while it talks."""

from __future__ import annotations

import pytest

from ari_app.desk import campaigns, destinations, documents
from ari_app.desk.site import Site
from ari_app.serving.clock import CallClock
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.ledger import ledger
from tests.behaviour.exchange import GEOGRAPHY, Exchange
from tests.samples import ADA


@pytest.fixture
def site(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The exchange, for use cases. No Asterisk is asked for its trunks."""
    monkeypatch.setattr(geography, "load", lambda home: GEOGRAPHY)
    monkeypatch.setattr(documents, "trunks", lambda settings: None)
    settings = Settings(exchange.home, str(exchange.engine.url), ari_port=1)
    return Site(settings, exchange.engine, lambda: CallClock().now())


async def test_a_call_under_way_goes_on_and_is_charged_to_whom_it_began_with(
    exchange: Exchange, site: Site
) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").accepts(after_s=9)
    await exchange.serves(also={"advertisers": {"bolt": {"name": "Bolt"}}})
    call = exchange.dials()
    await call.connected(ann)
    campaigns.set_fields(site, ADA, "plumbing", ["route.waves=[{destinations: [bob]}]"])
    destinations.move(site, ADA, "ann", "bolt")
    exchange.switch.load()
    assert ann.is_on_the_line
    record = await call.hangs_up(after_s=90).over()
    assert (record.advertiser, record.winner, record.disposition) == ("acme", "ann", "connected")
    accounts = {account: balance.posted for (account, _), balance in ledger.balances(exchange.engine).items()}
    assert accounts["advertiser:acme"] == -4200
    assert "advertiser:bolt" not in accounts
    after = exchange.dials()
    await after.connected(bob)
    assert (await after.hangs_up(after_s=90).over()).winner == "bob"
    assert ann.times_rung == 1
