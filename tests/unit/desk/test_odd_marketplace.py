"""Whatever a program sends of the marketplace, a use case takes or refuses it, and what is in force can be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ari_app.cli.expected import EXPECTED
from ari_app.desk import (
    agents,
    applications,
    audit,
    campaigns,
    creatives,
    destinations,
    documents,
    flows,
    marketplaces,
    numbers,
    route_trial,
)
from ari_app.desk.inforce import in_force
from ari_app.desk.numbers import Asked
from ari_app.desk.refused import Refused
from ari_app.desk.site import Site
from ari_app.domain.numbers.inventory import Wanted
from ari_app.domain.routing.intake import Arrival
from ari_app.store import geography
from tests.unit.cli.conftest import GEOGRAPHY
from tests.unit.desk.conftest import ADA
from tests.unit.desk.test_odd_values import NUMBERS, WORDS

DID = "+18005550101"
HERE = Path()

OF_A_WORD: Mapping[str, Callable[[Site, str], object]] = {
    "agents.pause": lambda site, word: agents.pause(site, ADA, word, "lunch"),
    "agents.pause reason": lambda site, word: agents.pause(site, ADA, "agent-1", word),
    "agents.resume": lambda site, word: agents.resume(site, ADA, word),
    "agents.listed": agents.listed,
    "applications.submit": lambda site, word: applications.submit(site, ADA, campaign=word, publisher=word),
    "applications.submit note": lambda site, word: applications.submit(
        site, ADA, campaign="plumbing", publisher="homefix", note=word
    ),
    "applications.approve source": lambda site, word: applications.approve(site, ADA, 1, source=word),
    "applications.decide reason": lambda site, word: applications.decide(site, ADA, 1, "decline", word),
    "audit.listed": lambda site, word: audit.listed(site, 5, actor=word, subject=word),
    "campaigns.create": lambda site, word: campaigns.create(
        site, ADA, word, {"advertiser": "acme", "price": "1", "payout": "1"}
    ),
    "campaigns.create entry": lambda site, word: campaigns.create(
        site, ADA, "night", {"advertiser": word, "price": word, word: word}
    ),
    "campaigns.set_fields": lambda site, word: campaigns.set_fields(site, ADA, word, ["price=1"]),
    "campaigns.set_fields assignment": lambda site, word: campaigns.set_fields(site, ADA, "plumbing", [word]),
    "campaigns.set_fields value": lambda site, word: campaigns.set_fields(
        site, ADA, "plumbing", [f"price={word}"]
    ),
    "campaigns.become": lambda site, word: campaigns.become(site, ADA, word, "paused"),
    "creatives.approve": lambda site, word: creatives.approve(site, ADA, word),
    "creatives.reject": lambda site, word: creatives.reject(site, ADA, "ad", word),
    "creatives.ad": lambda site, word: creatives.ad(site, word, word, word),
    "destinations.move": lambda site, word: destinations.move(site, ADA, word, "acme"),
    "destinations.move to": lambda site, word: destinations.move(site, ADA, "agent-1", word),
    "documents.add": lambda site, word: documents.add(site, ADA, "publishers", word, {"name": "P"}),
    "documents.add entry": lambda site, word: documents.add(site, ADA, "publishers", "p", {"name": word}),
    "documents.remove": lambda site, word: documents.remove(site, ADA, "publishers", word),
    "documents.shown": lambda site, word: documents.shown(site, "campaigns", word),
    "flows.put": lambda site, word: flows.put(site, ADA, {word: word}, HERE),
    "marketplaces.begin": lambda site, word: marketplaces.begin(site, ADA, word),
    "marketplaces.plan": lambda site, word: marketplaces.plan(site, word, word, HERE),
    "marketplaces.apply": lambda site, word: marketplaces.apply(site, ADA, word, word, HERE),
    "numbers.assign": lambda site, word: numbers.assign(
        site, ADA, campaign=word, publisher=word, source=word
    ),
    "numbers.assign wanted": lambda site, word: numbers.assign(
        site, ADA, campaign="plumbing", publisher="homefix", wanted=Wanted(word, None, word)
    ),
    "numbers.release": lambda site, word: numbers.release(site, ADA, word),
    "numbers.import": lambda site, word: numbers.import_(site, ADA, word, word, trunk=word),
    "numbers.import row": lambda site, word: numbers.import_(
        site, ADA, f"did,trunk\n+12125550177,main\n{word},{word}\n", "numbers.csv"
    ),
    "numbers.import column": lambda site, word: numbers.import_(
        site, ADA, "a\n1\n", "f", columns={"did": word}
    ),
    "numbers.listed": lambda site, word: numbers.listed(site, Asked(word, word, word)),
    "numbers.history": numbers.history,
    "route_trial.try_route": lambda site, word: route_trial.try_route(site, Arrival(word, word, 0), [word]),
    "route_trial.try_route presses": lambda site, word: route_trial.try_route(
        site, Arrival(DID, "+12125550142", site.now()), [word, word]
    ),
}
OF_A_NUMBER: Mapping[str, Callable[[Site, int], object]] = {
    "applications.approve": lambda site, n: applications.approve(site, ADA, n),
    "applications.approve count": lambda site, n: applications.approve(site, ADA, 1, count=n),
    "applications.decide": lambda site, n: applications.decide(site, ADA, n, "decline", "no"),
    "applications.history": applications.history,
    "audit.listed": audit.listed,
    "route_trial.try_route": lambda site, n: route_trial.try_route(site, Arrival(DID, None, n), []),
}


@pytest.fixture
def market(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The exchange, with an application and a creative; no Asterisk is asked for its trunks."""
    monkeypatch.setattr(geography, "load", lambda home: GEOGRAPHY)
    for module in (documents, marketplaces):
        monkeypatch.setattr(module, "trunks", lambda settings: None)
    applications.submit(site, ADA, campaign="plumbing", publisher="homefix")
    entry = {"campaign": "plumbing", "kind": "text", "text": "Call {number}"}
    documents.add(site, ADA, "creatives", "ad", entry)
    return site


@pytest.mark.parametrize("use_case", OF_A_WORD)
def test_an_odd_word_is_taken_or_refused(market: Site, use_case: str) -> None:
    for word in WORDS:
        try:
            OF_A_WORD[use_case](market, word)
        except Refused as refused:
            assert len(str(refused)) < 1_000
        except EXPECTED:
            continue
    assert in_force(market.engine).version >= 1
    assert audit.listed(market, 1) != []


@pytest.mark.parametrize("use_case", OF_A_NUMBER)
def test_an_odd_number_is_taken_or_refused(market: Site, use_case: str) -> None:
    for number in NUMBERS:
        try:
            OF_A_NUMBER[use_case](market, number)
        except EXPECTED:
            continue
    assert audit.listed(market, 1) != []
