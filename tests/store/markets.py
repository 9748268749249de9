"""A marketplace to be applied, and other ones."""

from dataclasses import replace

from sqlalchemy import Engine

from ari_app.domain.market.campaigns import Campaign, Route, Wave
from ari_app.domain.market.destinations import Coverage, Destination, Dial
from ari_app.domain.market.marketplace import Marketplace, Number
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.domain.market.terms import Clause
from ari_app.store.market import marketplaces

DID, OTHER_DID = "+18005550101", "+18005550102"
NOW, LATER, LAST = 1000, 2000, 3000
BEFORE = Marketplace(
    currency="USD",
    advertisers={"acme": Advertiser("Acme", timezone="America/New_York")},
    publishers={"homefix": Publisher("HomeFix"), "bluebird": Publisher("Bluebird")},
    destinations={
        "agent-1": Destination(
            advertiser="acme",
            dial=Dial(uri="sip:agent-1@127.0.0.1:5071"),
            covers=Coverage(states=frozenset({"NY", "NJ"})),
        )
    },
    campaigns={
        "plumbing": Campaign(
            advertiser="acme",
            price=4200,
            payout=3000,
            route=Route(waves=(Wave(destinations=("agent-1",)),)),
            qualify=(
                Clause(connected_at_least=90_000),
                Clause(answer_in={"service": frozenset({"repair", "install"})}),
            ),
        )
    },
    numbers={DID: Number("plumbing", "homefix", "sidebar")},
)


def with_campaign(marketplace: Marketplace, **changes: object) -> Marketplace:
    """The marketplace with its one campaign changed."""
    campaign = replace(marketplace.campaigns["plumbing"], **changes)  # type: ignore[arg-type]
    return replace(marketplace, campaigns={"plumbing": campaign})


DEARER = with_campaign(BEFORE, price=5000)


def terms_version(engine: Engine) -> int:
    """The version of the campaign's terms in force."""
    loaded = marketplaces.load(engine)
    assert loaded is not None
    return loaded.terms_versions["plumbing"]
