"""People of each kind who look at the pages, and an exchange in which every name has HTML in it where it may."""

from __future__ import annotations

from dataclasses import dataclass, replace

from httpx import AsyncClient
from sqlalchemy import Engine

from ari_app.access.actor import operator
from ari_app.desk import people, signin
from ari_app.desk.signin import Client
from ari_app.desk.site import Site
from ari_app.domain.calls.record import Money, Tracks
from ari_app.domain.document.reading import parse
from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from tests.samples import BEGAN, make_call, settlement, unqualified

ADA = operator("ada")
HTML = "<script>alert(1)</script>"

MARKET = f"""\
currency: USD
advertisers:
  acme: {{name: "Acme {HTML}", timezone: America/New_York, billing: {{model: prepaid}}}}
  zenith: {{name: Zenith}}
publishers:
  homefix: {{name: "HomeFix {HTML}"}}
  rival: {{name: Rival}}
destinations:
  agent-1: {{advertiser: acme, dial: {{uri: "sip:agent-1@127.0.0.1:5071"}}, covers: {{states: [NY]}}}}
  zenith-1: {{advertiser: zenith, dial: {{uri: "sip:z@127.0.0.1:5071"}}, covers: {{anywhere: true}}}}
campaigns:
  plumbing:
    advertiser: acme
    price: "42.00"
    payout: "30.00"
    route: {{waves: [{{destinations: [agent-1]}}]}}
    qualify: [{{connected_at_least: 90s}}, {{source_in: ["{HTML}", rivals-banner]}}]
    overrides: {{rival: {{payout: "31.70"}}}}
  roofing:
    advertiser: zenith
    price: "77.10"
    payout: "55.20"
    route: {{waves: [{{destinations: [zenith-1]}}]}}
    visibility: invited
    invited: [rival]
numbers:
  "+18005550101": {{campaign: plumbing, publisher: homefix, source: "{HTML}"}}
  "+18005550102": {{campaign: plumbing, publisher: rival, source: rivals-banner}}
  "+18005550103": {{campaign: roofing, publisher: rival}}
"""


@dataclass(frozen=True)
class Someone:
    """Who looks, and what must not be on any page for them."""

    party: str
    role: str
    unseen: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.party}-{self.role}"


_OF_ZENITH = ("77.10", "55.20", "zenith", "roofing")
_FOR_ADVERTISERS = ("30.00", "31.70", "homefix", "HomeFix", "rival", "12.00")
_FOR_PUBLISHERS = ("42.00", "acme", "Acme", "agent-1", "+12125550001", "+12125550002", "12.00", "31.70")
SOMEONE = (
    Someone("operator", "owner"),
    Someone("operator", "finance"),
    Someone("operator", "read_only"),
    Someone("advertiser:acme", "manager", (*_OF_ZENITH, *_FOR_ADVERTISERS)),
    Someone("advertiser:acme", "read_only", (*_OF_ZENITH, *_FOR_ADVERTISERS)),
    Someone(
        "advertiser:zenith", "manager", ("plumbing", "acme", "42.00", "agent-1", "+12125550001", "55.20")
    ),
    Someone("publisher:homefix", "manager", (*_OF_ZENITH, *_FOR_PUBLISHERS, "rival")),
    Someone("publisher:homefix", "read_only", (*_OF_ZENITH, *_FOR_PUBLISHERS, "rival")),
    Someone(
        "publisher:rival", "manager", ("acme", "Acme", "42.00", "77.10", "homefix", "+12125550001", "agent-1")
    ),
)
MINE = make_call(1, source=HTML, answers={HTML: HTML, "zip": "10001"}).id
THEIRS = make_call(3).id


def furnish(engine: Engine) -> None:
    """Applies MARKET, and saves two calls of homefix (one with a recording, one too short), and one of its rival."""
    marketplaces.apply(engine, parse(MARKET, "test.yaml"), now=BEGAN)
    first = make_call(1, source=HTML, answers={HTML: HTML, "zip": "10001"})
    assert first.connected_at is not None
    first = replace(first, recording=Tracks(first.connected_at, first.connected_at + 86_400_000))
    third = make_call(
        3, did="+18005550103", campaign="roofing", advertiser="zenith", publisher="rival", source=None
    )
    third = replace(
        third,
        ani="+13105550003",
        legs=[replace(third.legs[0], destination="zenith-1")],
        winner="zenith-1",
        money=Money("USD", 7710, 5520, 7710, 5520),
        excluded=[],
        events=[],
    )
    found = [first, replace(unqualified(2), source=HTML), third]
    calls.save(engine, [settlement(one) for one in found])


def sit_down(site: Site, client: AsyncClient, someone: Someone) -> None:
    """Has this person be signed in, in this client."""
    email = f"{someone}@example.com".replace(":", "-")
    people.add(site, ADA, email, HTML, someone.party, someone.role)
    token = people.sign_in_link(site, ADA, email).token
    begun = signin.sign_in_by_link(site, token, Client("192.0.2.1", HTML))
    client.cookies.clear()
    client.cookies.set("callrace", begun.token, domain="127.0.0.1")
