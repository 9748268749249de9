"""A market in which everything has happened once to two pairs of parties, and each secret has a word of its own.

So whoever looks for the words in what somebody is told, finds what they must not see. `WORDS` are of grumbach and
nordlicht, by topic (`access.sights`); `OTHERS` are of the other two, and nobody else's to see at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from ari_app.access.actor import operator
from ari_app.desk import applications, bills, conversions, disputes, ledger, payouts, recordings
from ari_app.desk.site import Site
from ari_app.domain.calls.record import CallRecord, Exclusion, PlaceRecord, TimelineEvent, Tracks
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.document.reading import parse
from ari_app.store.calls import calls
from ari_app.store.calls import recordings as files
from ari_app.store.market import marketplaces
from tests.samples import BEGAN, make_call, settlement

STAFF = operator("quentin")
MARKET = """\
currency: USD
advertisers:
  grumbach: {name: Grumbach Plumbing, dispute_window: 3650d, billing: {model: prepaid}}
  othercorp: {name: Other Corporation, billing: {model: prepaid}}
publishers:
  nordlicht: {name: Nordlicht Media}
  radiox: {name: Radio Xylophone}
destinations:
  desk-one: {advertiser: grumbach, dial: {uri: "sip:one@pbx-grumbach.example"}, covers: {anywhere: true}}
  desk-two: {advertiser: grumbach, dial: {uri: "sip:two@pbx-grumbach.example"}, covers: {anywhere: true}}
  desk-zulu: {advertiser: othercorp, dial: {uri: "sip:zulu@pbx-other.example"}, covers: {anywhere: true}}
campaigns:
  plumbing:
    advertiser: grumbach
    price: "77.31"
    payout: "33.17"
    route: {waves: [{destinations: [desk-one, desk-two]}]}
    bonus: [{name: long, when: [{connected_at_least: 9h}], price: "7.77", payout: "3.33"}]
    overrides: {radiox: {payout: "29.99"}}
  roofing:
    advertiser: othercorp
    price: "61.07"
    payout: "27.02"
    visibility: invited
    invited: [radiox]
    route: {waves: [{destinations: [desk-zulu]}]}
creatives:
  sms: {campaign: plumbing, kind: text, text: "Burst pipe? Call {number}", status: approved}
  ztext: {campaign: roofing, kind: text, text: "Roof of Zulu? Call {number}", status: approved}
numbers:
  "+18005550101": {campaign: plumbing, publisher: nordlicht, source: sidebar-seven}
  "+18005550909": {campaign: roofing, publisher: radiox, source: evening-show}
"""

WORDS: Mapping[str, Sequence[str]] = {
    "caller_numbers": ["+12125550199"],
    "advertiser_names": ["grumbach", "Grumbach Plumbing"],
    "publisher_names": ["nordlicht", "Nordlicht Media"],
    "sources": ["sidebar-seven"],
    "destinations": ["desk-one", "desk-two"],
    "price": ["77.31", "7.77"],
    "payout": ["33.17", "3.33", "29.99"],
    "margin": ["44.14"],
    "routing": ["pbx-grumbach", "desk-two is full"],
    "carriage": ["trunk-tango", "sip:diverted@carrier"],
    "sales": ["order-4711"],
    "staff": ["quentin"],
}
OTHERS = [
    "othercorp", "Other Corporation", "radiox", "Radio Xylophone", "desk-zulu", "pbx-other", "roofing", "evening-show",
    "61.07", "27.02", "34.05", "+19175550177", "+18005550909", "ztext", "Zulu",
]  # fmt: skip


def _call(n: int, **changes: object) -> CallRecord:
    record = make_call(n)
    winner = str(changes["winner"])
    return replace(
        record,
        legs=[replace(leg, destination=winner, failure="trunk-tango") for leg in record.legs[:1]],
        place=PlaceRecord("NY", "10467", "America/New_York", "zip"),
        diversion=["sip:diverted@carrier"],
        excluded=[Exclusion("desk-two", "desk-two is full")] if winner == "desk-one" else [],
        recording=Tracks(record.started_at, record.started_at + 10**12),
        events=[
            *record.events,
            TimelineEvent(record.started_at, EventName.EXCLUDED, f"{winner}: desk-two is full"),
            TimelineEvent(record.started_at, EventName.BILLED, f"at {changes['price']}"),
            TimelineEvent(record.started_at, EventName.OTHER_TRUNK, "trunk-tango"),
        ],
        **{name: value for name, value in changes.items() if name not in ("price", "payout")},  # type: ignore[arg-type]
    )


def _with_money(record: CallRecord, price: int, payout: int) -> CallRecord:
    assert record.money is not None
    money = replace(record.money, price=price, payout=payout, charged=price, paid=payout, reserved=None)
    return replace(record, money=money)


def own_call() -> CallRecord:
    """The call of grumbach and nordlicht."""
    ours = _call(
        1, ani="+12125550199", source="sidebar-seven", winner="desk-one", price="77.31", payout="33.17",
        campaign="plumbing", advertiser="grumbach", publisher="nordlicht", did="+18005550101",
    )  # fmt: skip
    return _with_money(ours, 7731, 3317)


def other_call() -> CallRecord:
    """The call of the other two."""
    other = _call(
        2, ani="+19175550177", source="evening-show", winner="desk-zulu", price="61.07", payout="27.02",
        campaign="roofing", advertiser="othercorp", publisher="radiox", did="+18005550909",
    )  # fmt: skip
    return _with_money(other, 6107, 2702)


def happen(site: Site) -> None:
    """Has everything happen, in this exchange, whose clock is after both calls."""
    marketplaces.apply(site.engine, parse(MARKET, "canaries.yaml"), now=BEGAN)
    for advertiser, key in (("grumbach", "a"), ("othercorp", "b")):
        ledger.deposit(site, STAFF, advertiser=advertiser, amount="1000.00", key=key)
    for record in (own_call(), other_call()):
        calls.save(site.engine, [settlement(record)])
        _record(site, record)
        conversions.post(site, STAFF, record.id, ref="order-4711")
        disputes.open_(site, STAFF, call_id=record.id, reason="nobody there", amount="7.77")
    disputes.reject(site, STAFF, dispute_id=1, reason="somebody was")
    for publisher, campaign in (("nordlicht", "plumbing"), ("radiox", "roofing")):
        applications.submit(site, STAFF, campaign=campaign, publisher=publisher, note=f"{publisher} wants it")
    period = "2025-11"
    for kind, parties in (("invoice", ("grumbach", "othercorp")), ("statement", ("nordlicht", "radiox"))):
        for party in parties:
            bills.issue(site, STAFF, kind, party, period, force_open=True)  # type: ignore[arg-type]
    payouts.run(site, STAFF, payouts.asked(site, key="first", until=date(2026, 1, 1), hold_days=0))


def _record(site: Site, record: CallRecord) -> None:
    assert record.recording is not None
    folder = site.settings.recordings
    folder.mkdir(parents=True, exist_ok=True)
    for file in files.paths(folder, record.id):
        file.write_bytes(b"RIFF" + bytes(60))
    assert recordings.latest(site, 1) is not None
