"""A party changes what is its own, and of that what is its to set."""

from __future__ import annotations

import pytest

from ari_app.access.edits import EDITS
from ari_app.access.parties import OPERATOR, Party, Viewer
from ari_app.desk import applications, audit, documents, theirs
from ari_app.desk.refused import Code
from ari_app.desk.site import Site
from ari_app.store import geography
from tests.kit.documented import tables
from tests.unit.cli.conftest import GEOGRAPHY
from tests.unit.desk.test_signin import ADA, refused

ACME = Viewer("joe@acme.example", Party("advertiser", "acme"), "manager", confirmed_at=0)
OTHER = Viewer("eve@other.example", Party("advertiser", "other"), "manager", confirmed_at=0)
HOMEFIX = Viewer("ann@homefix.example", Party("publisher", "homefix"), "manager", confirmed_at=0)
OWNER = Viewer("ada@example.com", OPERATOR, "owner", confirmed_at=0)
DIAL = {"dial": {"uri": "sip:desk@pbx.example"}, "covers": {"anywhere": True}}


@pytest.fixture
def site(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An exchange with two advertisers. Its tables of places are small: to make the whole ones takes seconds."""
    monkeypatch.setattr(geography, "load", lambda home: GEOGRAPHY)
    documents.add(site, ADA, "advertisers", "other", {"name": "Other"})
    return site


def campaign(site: Site, name: str) -> dict[str, object]:
    return documents.shown(site, "campaigns", name)


def test_an_advertisers_campaign_is_its_own_and_a_draft_that_earns_nobody_anything(site: Site) -> None:
    theirs.create_campaign(site, ACME, "roofing", {"price": "50.00", "flow": "intake"})
    made = campaign(site, "roofing")
    assert (made["advertiser"], made["status"], made["price"], made["payout"]) == (
        "acme",
        "draft",
        "50.00",
        "0.00",
    )
    [entry] = audit.listed(site, 1)
    assert (entry.actor, entry.subject) == ("advertiser:acme/joe@acme.example", "roofing")


@pytest.mark.parametrize(
    "field", ["payout", "advertiser", "status", "visibility", "bonus", "overrides", "staged"]
)
def test_an_advertiser_sets_nothing_that_is_the_exchanges(site: Site, field: str) -> None:
    refused(Code.NOT_ALLOWED, theirs.create_campaign, site, ACME, "roofing", {"price": "50.00", field: "x"})
    refused(Code.NOT_ALLOWED, theirs.set_campaign, site, ACME, "plumbing", [f"{field}=x"])
    refused(Code.NOT_ALLOWED, theirs.set_campaign, site, ACME, "plumbing", [f" {field}.deep[0]=x"])


def test_the_price_is_an_advertisers_to_set_while_the_campaign_is_a_draft(site: Site) -> None:
    refused(Code.NOT_ALLOWED, theirs.set_campaign, site, ACME, "plumbing", ["price=1.00"])
    theirs.create_campaign(site, ACME, "roofing", {"price": "50.00"})
    theirs.set_campaign(site, ACME, "roofing", ["price=51.00", "route.ring_timeout=20s"])
    assert campaign(site, "roofing")["price"] == "51.00"
    theirs.set_campaign(site, OWNER, "plumbing", ["payout=31.00"])
    assert campaign(site, "plumbing")["payout"] == "31.00"


def test_an_advertiser_pauses_and_resumes_a_campaign_and_the_operator_starts_it(site: Site) -> None:
    for status in ("paused", "live"):
        theirs.become(site, ACME, "plumbing", status)  # type: ignore[arg-type]
        assert campaign(site, "plumbing")["status"] == status
    theirs.create_campaign(site, ACME, "roofing", {"price": "50.00"})
    refused(Code.NOT_ALLOWED, theirs.become, site, ACME, "roofing", "live")


def test_what_is_anothers_is_refused_as_if_it_were_not_there(site: Site) -> None:
    for who in (OTHER, HOMEFIX):
        code = Code.UNKNOWN if who is OTHER else Code.NOT_ALLOWED
        refused(code, theirs.set_campaign, site, who, "plumbing", ["hours="])
        refused(code, theirs.become, site, who, "plumbing", "paused")
        refused(code, theirs.remove, site, who, "destinations", "agent-1")
        refused(code, theirs.pause, site, who, "agent-1", "lunch")
        refused(code, theirs.resume, site, who, "agent-1")
    refused(Code.UNKNOWN, theirs.remove, site, OTHER, "flows", "intake")
    found = refused(Code.UNKNOWN, theirs.set_campaign, site, OTHER, "plumbing", ["hours="])
    assert str(found) == str(refused(Code.UNKNOWN, theirs.set_campaign, site, OTHER, "none", [])).replace(
        "none", "plumbing"
    )


def test_an_advertiser_adds_and_removes_its_own_destinations_and_creatives(site: Site) -> None:
    theirs.add(site, ACME, "destinations", "desk", DIAL | {"advertiser": "other"})
    assert documents.shown(site, "destinations", "desk")["advertiser"] == "acme"
    theirs.pause(site, ACME, "desk", "lunch")
    theirs.resume(site, ACME, "desk")
    theirs.remove(site, ACME, "destinations", "desk")
    text = {"campaign": "plumbing", "kind": "text", "text": "Call {number}"}
    theirs.add(site, ACME, "creatives", "sms", text)
    assert documents.shown(site, "creatives", "sms")["status"] == "draft"
    refused(Code.NOT_ALLOWED, theirs.add, site, ACME, "creatives", "now", text | {"status": "approved"})
    refused(Code.UNKNOWN, theirs.add, site, OTHER, "creatives", "mine", text)
    refused(Code.NOT_ALLOWED, theirs.add, site, ACME, "publishers", "me", {"name": "Me"})
    theirs.remove(site, ACME, "creatives", "sms")


def test_each_party_sees_its_campaigns(site: Site) -> None:
    documents.add(site, ADA, "publishers", "radio", {"name": "Radio"})
    theirs.create_campaign(site, ACME, "roofing", {"price": "50.00"})
    radio = Viewer("dj@radio.example", Party("publisher", "radio"), "manager")
    assert theirs.own_campaigns(site, OWNER) == theirs.own_campaigns(site, ACME) == {"plumbing", "roofing"}
    assert theirs.own_campaigns(site, OTHER) == set()
    assert theirs.own_campaigns(site, HOMEFIX) == theirs.own_campaigns(site, radio) == {"plumbing"}
    theirs.set_campaign(site, OWNER, "plumbing", ["visibility=invited", "invited=[homefix]"])
    assert theirs.own_campaigns(site, HOMEFIX) == {"plumbing"}
    assert theirs.own_campaigns(site, radio) == set()


def test_who_has_applied_to_a_campaign_goes_on_seeing_it(site: Site) -> None:
    documents.add(site, ADA, "publishers", "radio", {"name": "Radio"})
    applications.submit(site, ADA, campaign="plumbing", publisher="radio")
    theirs.set_campaign(site, OWNER, "plumbing", ["visibility=invited", "invited=[homefix]"])
    assert theirs.own_campaigns(site, Viewer("dj", Party("publisher", "radio"), "read_only")) == {"plumbing"}


def test_the_fields_that_are_theirs_are_there() -> None:
    nouns = {
        "campaigns": "Campaign",
        "drafts": "Campaign",
        "creatives": "Creative",
        "destinations": "Destination",
        "flows": "Flow",
    }
    for part, fields in EDITS.items():
        assert fields <= {row["Field"].strip("`") for row in tables("marketplace.md")[nouns[part]]}
