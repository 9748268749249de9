"""What a party sees of what is told, cell by cell; and of a call, wherever in it something stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ari_app.access import veil
from ari_app.access.fields import FIELDS, HOLDS
from ari_app.access.lens import Lens, masked_number
from ari_app.access.parties import OPERATOR, Party
from ari_app.access.sights import HIDDEN, MASKED, NO_EXCEPTIONS, TOPICS, WHOLE, Exceptions, Sight
from ari_app.domain.calls.record import (
    CallRecord,
    ClauseResult,
    Conversion,
    Exclusion,
    Part,
    PlaceRecord,
    TimelineEvent,
    Tracks,
    TransferRecord,
)
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ledger.calls import settle
from ari_app.domain.ledger.disputes import Dispute, DisputeEvent
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.calls import call_json
from ari_app.views.explain import explain
from ari_app.views.sections import section_json
from tests.samples import make_call

ACME, HOMEFIX, AGENT = Party("advertiser", "acme"), Party("publisher", "homefix"), Party("agent", "agent-1")
PARTIES = [ACME, HOMEFIX, AGENT]
Cell = tuple[str, str]


def lens(party: Party, exceptions: Exceptions = NO_EXCEPTIONS) -> Lens:
    return Lens(party, exceptions, b"key")


# Names


def test_a_name_has_one_code_wherever_it_is_told() -> None:
    seen = lens(ACME)
    of_call = seen.shown("Call", call_json(veil.veiled(seen, make_call(1)), ()))
    of_report = seen.shown("Report", {"by": "publisher", "lines": [{"publisher": "homefix"}]})
    assert of_call["publisher"] == of_report["lines"][0]["publisher"] == seen.code("publisher", "homefix")


# Fields


def whole(noun: str) -> dict[str, Any]:
    """An object of this noun, in which each field has a text of its own."""
    made: dict[str, Any] = {"by": "campaign"} if noun == "Report" else {}
    for field in FIELDS[noun]:
        if any(other.startswith((f"{field}.", f"{field}[]")) for other in FIELDS[noun]):
            continue
        *path, last = field.split(".")
        at = made
        for name in path:
            inner = at.setdefault(name.removesuffix("[]"), [{}] if name.endswith("[]") else {})
            at = inner[0] if isinstance(inner, list) else inner
        held = HOLDS.get((noun, field))
        if (noun, field) in (("Report", "lines"), ("Report", "total")):
            held = "CallsLine"
        at.setdefault(last, [whole(held)] if held else f"<{noun} {field}>")
    return made


def visible(noun: str, sees: Lens, is_seen: bool = True) -> Iterator[tuple[Cell, Sight]]:
    """How each field of an object is to be seen: a field within one that is hidden is hidden."""
    for field, topic in FIELDS[noun].items():
        parts = re.split(r"(?:\[\])?\.", field)
        above = [
            f for n in range(1, len(parts)) for f in FIELDS[noun] if re.split(r"(?:\[\])?\.", f) == parts[:n]
        ]
        topics = [FIELDS[noun][one] for one in above] + [topic]
        hidden = not is_seen or HIDDEN in map(sees.sight, topics)
        yield (noun, field), HIDDEN if hidden else sees.sight(topic)
        held = (
            "CallsLine"
            if (noun, field) in (("Report", "lines"), ("Report", "total"))
            else HOLDS.get((noun, field))
        )
        if held:
            yield from visible(held, sees, not hidden)


@pytest.mark.parametrize("party", PARTIES, ids=str)
@pytest.mark.parametrize("noun", FIELDS)
def test_a_party_sees_of_each_field_what_the_table_says(noun: str, party: Party) -> None:
    sees = lens(party)
    value = whole(noun)
    if noun == "PayoutRun":
        value["payouts"][0]["publisher"] = party.id
    if noun == "Campaign":
        for terms in (value, value["staged"]):
            terms["overrides"] = {party.id: terms["overrides"]}
    shown, told = json.dumps(sees.shown(noun, value)), json.dumps(value)
    for (of, field), sight in visible(noun, sees):
        canary = f"<{of} {field}>"
        if canary in told:
            assert (canary in shown) == (sight is WHOLE), (party, of, field, sight)


@pytest.mark.parametrize("noun", FIELDS)
def test_the_operator_sees_everything(noun: str) -> None:
    assert lens(OPERATOR).shown(noun, whole(noun)) == whole(noun)


def test_what_no_row_has_is_shown_to_nobody_but_the_operator() -> None:
    told = {"id": 1, "news": "x", "legs": [{"destination": "agent-1", "margin": 1}]}
    assert lens(ACME).shown("Call", told) == {"id": 1, "legs": [{"destination": "agent-1"}]}
    assert lens(ACME).shown("AuditEntry", {"actor": "ada"}) == {}


@pytest.mark.parametrize("topic", TOPICS)
def test_the_operator_widens_and_narrows_each_topic_for_one_party_or_for_all_of_a_kind(topic: str) -> None:
    hidden = Exceptions({(str(ACME), topic): HIDDEN, ("publisher", topic): WHOLE})
    assert lens(ACME, hidden).sight(topic) is HIDDEN
    assert lens(Party("advertiser", "other"), hidden).sight(topic) is TOPICS[topic].advertiser
    assert lens(HOMEFIX, hidden).sight(topic) is WHOLE
    both = Exceptions({("publisher", topic): HIDDEN, (str(HOMEFIX), topic): WHOLE})
    assert lens(HOMEFIX, both).sight(topic) is WHOLE
    assert lens(OPERATOR, Exceptions({("operator", topic): HIDDEN})).sight(topic) is WHOLE


def test_a_code_stands_for_one_name_and_tells_nothing_of_it() -> None:
    sees = lens(ACME)
    code = sees.masked("publisher_names", "homefix")
    assert re.fullmatch(r"publisher-[0-9a-f]{8}", code)
    assert code == sees.masked("publisher_names", "homefix") != sees.masked("publisher_names", "radio")
    assert code != Lens(ACME, key=b"another exchange").masked("publisher_names", "homefix")


@pytest.mark.parametrize(
    ("number", "masked"), [("+12125550142", "+1212555****"), ("123", "****"), ("anonymous", "anony****")]
)
def test_a_number_loses_its_last_four_digits(number: str, masked: str) -> None:
    assert masked_number(number) == masked


def test_the_operators_people_are_the_exchange_to_others() -> None:
    assert lens(ACME).masked("staff", "ada") == "the exchange"
    assert lens(ACME).masked("staff", "program:callrace") == "the exchange"
    assert lens(HOMEFIX).masked("staff", "advertiser:acme/joe@acme.example") == "the advertiser"
    assert (
        lens(ACME).masked("staff", "advertiser:acme/joe@acme.example") == "advertiser:acme/joe@acme.example"
    )


# Whose


@pytest.mark.parametrize(
    ("noun", "value", "owners"),
    [
        ("Dispute", {"advertiser": "acme", "publisher": "homefix"}, [ACME, HOMEFIX]),
        ("Dispute", {"advertiser": "other", "publisher": "other"}, []),
        ("Application", {"campaign": "plumbing", "publisher": "homefix"}, [ACME, HOMEFIX]),
        ("Application", {"campaign": "roofing", "publisher": "radio"}, []),
        ("Balance", {"account": "advertiser:acme"}, [ACME]),
        ("Balance", {"account": "exchange"}, []),
        ("Bill", {"kind": "invoice", "party": "acme"}, [ACME]),
        ("Bill", {"kind": "statement", "party": "acme"}, []),
        ("Cap", {"owner": "publisher", "id": "homefix"}, [HOMEFIX]),
        ("Cap", {"owner": "publisher", "id": "acme"}, []),
        (
            "LiveCall",
            {"advertiser": "acme", "publisher": None, "legs": [{"destination": "agent-1"}]},
            [ACME, AGENT],
        ),
        ("LiveCall", {"advertiser": "other", "publisher": None, "legs": []}, []),
        ("Campaign", {"id": "plumbing", "advertiser": "acme"}, [ACME]),
        ("Campaign", {"id": "plumbing", "advertiser": "other"}, []),
        ("Publisher", {"id": "homefix"}, [HOMEFIX]),
        ("Advertiser", {"id": "homefix"}, []),
    ],
)
def test_a_party_sees_what_is_its_own(noun: str, value: dict[str, Any], owners: list[Party]) -> None:
    assert [
        party for party in PARTIES if lens(party).owns(noun, value, {"plumbing"} if party == ACME else ())
    ] == owners
    assert lens(OPERATOR).owns(noun, value)
    assert len(lens(ACME).listed(noun, [value], {"plumbing"})) == (ACME in owners)


def test_of_a_payout_run_a_publisher_sees_its_own_line() -> None:
    lines = [{"publisher": name, "amount": "1.00", "calls": 1, "key": name} for name in ("homefix", "radio")]
    shown = lens(HOMEFIX).shown("PayoutRun", {"key": "x", "payouts": lines, "waits": [{"publishers": 2}]})
    assert shown == {"key": "x", "payouts": lines[:1]}


def test_of_a_campaign_a_publisher_sees_what_it_earns_and_no_other() -> None:
    payouts = {"homefix": {"payout": "40.00"}, "radio": {"payout": "99.00"}}
    campaign = {
        "id": "plumbing",
        "advertiser": "acme",
        "price": "77.00",
        "payout": "30.00",
        "overrides": payouts,
        "qualify": [{"connected_at_least": "90s"}],
        "bonus": [{"name": "long", "when": [{"rang_at_least": "9s"}], "price": "7.00", "payout": "5.00"}],
        "staged": {"from": "2026-12-01T00:00Z", "price": "78.00", "overrides": payouts},
        "invited": ["homefix", "radio"],
    }
    shown = lens(HOMEFIX).shown("Campaign", campaign)
    assert lens(HOMEFIX).owns("Campaign", campaign, {"plumbing"})
    assert not lens(HOMEFIX).owns("Campaign", campaign, {"roofing"})
    assert shown.pop("advertiser").startswith("advertiser-")
    assert shown == {
        "id": "plumbing",
        "payout": "30.00",
        "overrides": {"homefix": {"payout": "40.00"}},
        "qualify": [{"connected_at_least": "90s"}],
        "bonus": [{"name": "long", "when": [{"rang_at_least": "9s"}], "payout": "5.00"}],
        "staged": {"from": "2026-12-01T00:00Z", "overrides": {"homefix": {"payout": "40.00"}}},
    }
    assert not {"payout", "overrides", "invited"} & set(lens(ACME).shown("Campaign", campaign))


# A call, in words and as JSON

CARRIES: dict[str, list[str]] = {
    "caller_numbers": ["+12125550199"],
    "answers": ["10467", "ninety-nine"],
    "advertiser_names": ["acme"],
    "publisher_names": ["homefix"],
    "sources": ["sidebar-7"],
    "destinations": ["agent-1", "agent-2", "agent-9"],
    "price": ["77.31", "88.80"],
    "payout": ["33.17", "9.09"],
    "margin": ["44.14"],
    "routing": ["no place left", "+19998887766", "to-hotel", "no room at hotel", "+15552223333"],
    "carriage": ["trunk zulu", "zulu-two", "sip:diverted@carrier"],
    "sales": ["order-4711"],
    "recordings": ["-caller.wav", "disk was full"],
    "staff": ["ada"],
    "sound": ["4750", "MOS"],
}
"""By topic, what stands in the call below, and nowhere but where it is of that topic."""


def the_call() -> tuple[CallRecord, list[Transfer], list[Dispute]]:
    """A qualified call in which something of each topic is; names and numbers stand in its texts, too."""
    names = "acme homefix sidebar-7 agent-1 agent-2 agent-9 +12125550199"
    details = {
        EventName.EXCLUDED: "agent-9 no place left",
        EventName.FORWARDED: "agent-2 +19998887766",
        EventName.NOT_DIALLED: "agent-2 trunk zulu",
        EventName.BILLED: "2 min at 77.31",
        EventName.CONVERTED: "order-4711",
        EventName.ENTERED: "10467",
        EventName.RECORDING_DELETED: "by ada: disk was full",
        EventName.NOT_RECORDED: "disk was full",
    }
    record = make_call(1)
    assert record.qualification is not None and record.money is not None
    return _with_money(
        replace(
            record,
            ani="+12125550199",
            advertiser="acme",
            publisher="homefix",
            source="sidebar-7",
            diversion=["sip:diverted@carrier"],
            answers={"zip": "10467", "service": "ninety-nine"},
            place=PlaceRecord("NY", "10467", "America/New_York", "zip"),
            excluded=[Exclusion("agent-9", "no place left for +12125550199")],
            legs=[replace(leg, failure="trunk zulu", forwarded_to="+19998887766") for leg in record.legs],
            money=replace(record.money, price=7731, payout=3317, charged=7731, paid=3317, reserved=8880),
            conversion=Conversion(record.started_at, record.started_at, "order-4711"),
            transfers=[
                TransferRecord(
                    "to-hotel", record.started_at, "agent-9", "zulu-two", "refused", "no room at hotel"
                ),
                TransferRecord(
                    "to-hotel", record.started_at, "+15552223333", "zulu-two", "connected", None, 1, 2, 3
                ),
            ],
            recording=Tracks(record.started_at, record.started_at),
            qualification=replace(
                record.qualification,
                clauses=[
                    *record.qualification.clauses,
                    ClauseResult("no_repeat_within", True, "no earlier call from +12125550199 is known"),
                    ClauseResult("source_in", True, "the source is sidebar-7, wanted: sidebar-7"),
                ],
                parts=[
                    Part("price", True, [ClauseResult("rang_at_least", True, "77.31")]),
                    Part("payout", True, [ClauseResult("rang_at_least", True, "33.17")]),
                ],
            ),
            events=[TimelineEvent(record.started_at, what, details.get(what, names)) for what in EventName],
        )
    )


def _with_money(record: CallRecord) -> tuple[CallRecord, list[Transfer], list[Dispute]]:
    at = (record.ended_at or 0) + 1000
    transfers = settle(record, record.ended_at or 0)
    back = Transfer(
        "a1", "adjust", "exchange", "advertiser:acme", 8880, "USD", at, record.id, reason="for acme"
    )
    less = Transfer(
        "a2", "adjust", "publisher:homefix", "exchange", 909, "USD", at, record.id, reason="by homefix"
    )
    events = (
        DisputeEvent("opened", at, "advertiser:acme/joe", "agent-2 was rude to +12125550199", 8880),
        DisputeEvent("accepted", at, "ada", "they were", 8880, 909),
    )
    dispute = Dispute(1, record.id, "acme", "homefix", "USD", events)
    return record, [*transfers, back, less], [dispute]


def told(sees: Lens) -> str:
    """All that is told of the call to this party: the explanation, and the JSON."""
    record, transfers, disputes = the_call()
    veiled = (
        veil.veiled(sees, record),
        veil.transfers_of(sees, transfers),
        veil.disputes_of(sees, disputes, record),
    )
    sections = [section_json(section) for section in explain(*veiled, sees.sees)]
    return json.dumps([sections, sees.shown("Call", call_json(*veiled))], ensure_ascii=False)


def is_in(word: str, text: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])|{re.escape(word)}(?<=wav)", text) is not None


def _is_own(word: str, party: Party) -> bool:
    return word == party.id


@pytest.mark.parametrize("party", PARTIES, ids=str)
@pytest.mark.parametrize("topic", CARRIES)
def test_of_a_call_nothing_stands_anywhere_that_the_party_may_not_see(topic: str, party: Party) -> None:
    text = told(lens(party))
    if lens(party).sight(topic) is not WHOLE:
        assert [word for word in CARRIES[topic] if is_in(word, text) and not _is_own(word, party)] == []


@pytest.mark.parametrize("topic", CARRIES)
def test_what_is_looked_for_stands_in_what_the_operator_is_told(topic: str) -> None:
    text = told(lens(OPERATOR))
    assert [word for word in CARRIES[topic] if not is_in(word, text)] == []


@pytest.mark.parametrize("party", [ACME, HOMEFIX], ids=str)
@pytest.mark.parametrize("topic", sorted(set(CARRIES) - {"margin", "staff", "sound", "carriage"}))
def test_a_topic_that_the_operator_opens_is_told(topic: str, party: Party) -> None:
    text = told(lens(party, Exceptions({(str(party), topic): WHOLE})))
    assert [word for word in CARRIES[topic] if is_in(word, text)] != []


@pytest.mark.parametrize("party", [ACME, HOMEFIX], ids=str)
@pytest.mark.parametrize("topic", CARRIES)
def test_a_topic_that_the_operator_closes_is_not_told(topic: str, party: Party) -> None:
    text = told(lens(party, Exceptions({(str(party), topic): HIDDEN})))
    assert [word for word in CARRIES[topic] if is_in(word, text) and not _is_own(word, party)] == []


def test_a_publisher_is_told_why_a_call_was_paid() -> None:
    record, transfers, _ = the_call()
    sees = lens(HOMEFIX)
    sections = explain(veil.veiled(sees, record), veil.transfers_of(sees, transfers), (), sees.sees)
    lines = [line for section in sections for line in section.lines]
    assert any("It met all the terms: homefix was paid 33.17 USD." in line for line in lines)
    assert "- homefix was paid 33.17 USD." in lines
    assert any("if payable, this call earns homefix 33.17 USD." in line for line in lines)
    assert any(line.startswith("- passed: an agent took the call?") for line in lines)


def test_a_publisher_is_told_that_nothing_was_paid_and_why() -> None:
    record, _, _ = the_call()
    assert record.money is not None and record.qualification is not None
    short = ClauseResult("connected_at_least", False, "connected for 80 s, at least 90 s needed")
    record.qualification = replace(record.qualification, qualified=False, clauses=[short])
    record.money = replace(record.money, charged=0, paid=0)
    sees = lens(HOMEFIX)
    transfers = veil.transfers_of(sees, settle(record, record.ended_at or 0))
    sections = explain(veil.veiled(sees, record), transfers, (), sees.sees)
    lines = [line for section in sections for line in section.lines]
    assert "- Nothing was paid to homefix." in lines
    assert any(
        "It was not a payable call (connected for 80 s, at least 90 s needed)" in line for line in lines
    )


@pytest.mark.parametrize("party", PARTIES, ids=str)
def test_a_call_is_the_partys_or_not(party: Party) -> None:
    record, _, _ = the_call()
    assert veil.owns(lens(party), record)
    assert not veil.owns(lens(Party(party.kind, "other")), record)
    assert veil.owns(lens(OPERATOR), record)


@pytest.mark.parametrize("disposition", ["capped", "failed"])
def test_why_a_call_was_refused_does_not_tell_of_anothers_limits(disposition: Any) -> None:
    record, _, _ = the_call()
    why = TimelineEvent(record.started_at, EventName.REFUSED, "500.00 USD a day of acme are spent")
    refused = replace(record, disposition=disposition, events=[why], qualification=None)
    sections = explain(veil.veiled(lens(HOMEFIX), refused), (), (), lens(HOMEFIX).sees)
    assert "500.00" not in str(sections)
    assert lens(HOMEFIX).sight("publisher_names") is WHOLE
    assert lens(ACME).sight("publisher_names") is MASKED


def test_a_list_whose_things_have_no_rows_of_their_own_is_told_whole() -> None:
    clauses = [{"connected_at_least": "90s"}]
    assert lens(HOMEFIX).shown("Campaign", {"id": "plumbing", "qualify": clauses})["qualify"] == clauses
