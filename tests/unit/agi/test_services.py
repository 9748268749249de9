"""What the dialplan is answered, for a marketplace of one campaign."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from agi.conversation import VALUE_CHARACTERS, Conversation, Request
from agi.services import Variables, dialled, lookup, record, route
from ari_app.domain.calls.dialplan_call import id_of, outcome_of
from ari_app.domain.caps.counters import Answer, Wanted
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.snapshot import Pin, Snapshot, make_snapshot
from tests.unit.agi.asterisk import header
from tests.unit.cli.conftest import GEOGRAPHY, MARKETPLACE

DID, NEW_YORKER, ANGELENO = "+18005550101", "+12125550142", "+13105550142"
MONDAY_9_NEW_YORK = 1_763_992_800_000  # 2025-11-24T14:00:00Z


ON_ANSWER = MARKETPLACE.replace("    route:\n", "    route:\n      accept: answer\n")


def snapshot(document: str = ON_ANSWER, **pauses: str) -> Snapshot:
    marketplace = parse(document, "test.yaml")
    versions = dict.fromkeys(marketplace.campaigns, 1)
    return make_snapshot(1, marketplace, versions, GEOGRAPHY, pauses)


@dataclass
class Reserving:
    """Whoever wants something reserved gets this answer."""

    answer: Answer = field(default_factory=Answer)
    wished: list[Wanted] = field(default_factory=list)

    async def __call__(self, wish: Wanted) -> Answer:
        self.wished.append(wish)
        return self.answer


def answer(
    service: str, did: str | None = DID, ani: str | None = NEW_YORKER, of: Snapshot | None = None
) -> Variables:
    request = Request(service, (did or "", ani or ""))
    if service == "lookup":
        return lookup(of or snapshot(), request, MONDAY_9_NEW_YORK)
    return asyncio.run(
        route(of or snapshot(), request, MONDAY_9_NEW_YORK, Random(1), Reserving(), lambda call_id, pin: None)
    )


def begun(
    reserving: Reserving, of: Snapshot, at: int = MONDAY_9_NEW_YORK - 100, pins: dict[str, Pin] | None = None
) -> Variables:
    """What `route` says of a call whose end will be told."""
    request = Request("route", (DID, NEW_YORKER, "", str(at)), "1763992799.7")
    told = {} if pins is None else pins
    return asyncio.run(route(of, request, MONDAY_9_NEW_YORK, Random(1), reserving, told.__setitem__))


def rung(ani: str | None = NEW_YORKER, of: Snapshot | None = None) -> tuple[str, str, str]:
    """What `route` says: the result, the destinations, the dial string."""
    said = answer("route", ani=ani, of=of)
    return said["CALLRACE_RESULT"], said["CALLRACE_LEGS"], said["CALLRACE_DIAL"]


def test_a_lookup_tells_whose_the_call_is_and_where_its_caller_is() -> None:
    assert answer("lookup") == {
        "CALLRACE_CAMPAIGN": "plumbing",
        "CALLRACE_PUBLISHER": "homefix",
        "CALLRACE_SOURCE": "sidebar",
        "CALLRACE_STATE": "NY",
        "CALLRACE_ZIP": "",
        "CALLRACE_TIMEZONE": "America/New_York",
        "CALLRACE_LIMIT": "14400",
        "CALLRACE_BLOCKED": "0",
        "CALLRACE_RESULT": "FOUND",
    }


def test_a_blocked_caller_is_told_of() -> None:
    assert answer("lookup", ani="+19005550142")["CALLRACE_BLOCKED"] == "1"


def test_whom_no_campaign_takes_is_blocked_and_not_routed() -> None:
    screened = snapshot(f'{ON_ANSWER}screen: {{block: ["{NEW_YORKER}"], attestation: [A]}}\n')
    assert answer("lookup", of=screened)["CALLRACE_BLOCKED"] == "1"
    assert rung(of=screened) == ("REFUSED", "", "")


@pytest.mark.parametrize(("said", "blocked"), [("A", "0"), ("C", "1"), ("", "1"), ("A&PJSIP/900", "1")])
def test_the_attestation_that_the_dialplan_passes_on_is_judged(said: str, blocked: str) -> None:
    asking = snapshot(f"{ON_ANSWER}screen: {{attestation: [A]}}\n")
    request = Request("lookup", (DID, NEW_YORKER, said))
    assert lookup(asking, request, MONDAY_9_NEW_YORK)["CALLRACE_BLOCKED"] == blocked


def test_a_suspended_publishers_calls_are_not_routed() -> None:
    suspended = replace(snapshot(), suspended={("plumbing", "homefix"): "bought traffic"})
    assert answer("lookup", of=suspended)["CALLRACE_BLOCKED"] == "1"
    assert rung(of=suspended)[1:] == ("", "")


def test_a_campaign_that_is_not_live_blocks_everybody() -> None:
    paused = snapshot(ON_ANSWER.replace("    flow: intake\n", "    flow: intake\n    status: paused\n"))
    assert answer("lookup", of=paused)["CALLRACE_BLOCKED"] == "1"
    assert rung(of=paused) == ("REFUSED", "", "")


def test_a_source_is_made_plain() -> None:
    hostile = snapshot(ON_ANSWER.replace("source: sidebar}", "source: 'Größe \"${X}\", a/b'}"))
    assert answer("lookup", of=hostile)["CALLRACE_SOURCE"] == "Gr__e ___X___ a/b"


@pytest.mark.parametrize("service", ["lookup", "route"])
@pytest.mark.parametrize("did", ["+18005559999", None])
def test_a_number_of_nobodys_is_unknown(service: str, did: str | None) -> None:
    answered = answer(service, did)
    assert answered["CALLRACE_RESULT"] == "UNKNOWN"
    assert answered.get("CALLRACE_DIAL", "") == ""


@pytest.mark.parametrize("service", ["lookup", "route"])
@pytest.mark.parametrize("ani", [NEW_YORKER, ANGELENO, None])
def test_every_answer_can_be_said(service: str, ani: str | None) -> None:
    assert Conversation(header()).set_variables(answer(service, ani=ani))


INVITE = "request=acme&channel=PJSIP%2Facme-1&From=(((%3Csip%3A212-555-0142%40h%3E&To=(((%3Csip%3A8005550101%40h%3E"
BY_TO = ON_ANSWER + "trunks:\n  acme:\n    number_in: To\n"


def of_an_invite(service: str, invite: str = INVITE, document: str = BY_TO) -> Variables:
    request, of = Request(service, ("", "", "", "", invite)), snapshot(document)
    if service == "lookup":
        return lookup(of, request, MONDAY_9_NEW_YORK)
    told: dict[str, Pin] = {}
    return asyncio.run(route(of, request, MONDAY_9_NEW_YORK, Random(1), Reserving(), told.__setitem__))


def test_an_invite_is_read_by_the_rules_of_its_trunk() -> None:
    assert of_an_invite("lookup") == answer("lookup")
    said = of_an_invite("route")
    assert (said["CALLRACE_RESULT"], said["CALLRACE_ANI"]) == ("DIAL", NEW_YORKER)
    for service in ("lookup", "route"):
        assert of_an_invite(service, document=ON_ANSWER)["CALLRACE_RESULT"] == "UNKNOWN"


def test_of_a_caller_who_hides_no_number_is_shown() -> None:
    said = of_an_invite("route", INVITE + "&Privacy=id")
    assert (said["CALLRACE_RESULT"], said["CALLRACE_ANI"]) == ("DIAL", "")
    assert answer("lookup", ani="+266696687")["CALLRACE_STATE"] == ""


def test_a_route_is_the_first_wave_that_has_anybody() -> None:
    assert rung() == ("DIAL", "agent-1", "PJSIP/agents/sip:agent-1@127.0.0.1:5071")
    assert rung(ANGELENO) == ("DIAL", "overflow", "PJSIP/+12125550123@main")


def test_every_route_has_a_call_id_of_its_own_for_the_record() -> None:
    ids = [answer("route", did)["CALLRACE_CALL"] for did in (DID, DID, "+18005559999")]
    assert len(set(ids)) == 3
    assert {int(call_id[:13], 16) for call_id in ids} == {MONDAY_9_NEW_YORK}


def test_a_campaign_that_wants_a_key_pressed_rings_nobody_for_an_answer_would_be_enough() -> None:
    assert rung(of=snapshot(MARKETPLACE)) == ("NOBODY", "", "")


CAPPED = ON_ANSWER.replace("    flow: intake\n", "    flow: intake\n    caps: [{max: 5, per: day}]\n")
PREPAID = ON_ANSWER.replace(
    "timezone: America/New_York}", "timezone: America/New_York, billing: {model: prepaid}}"
)


@pytest.mark.parametrize("document", [CAPPED, PREPAID], ids=["caps", "funds"])
def test_where_caps_or_funds_are_to_be_looked_at_room_is_reserved_under_the_records_id(document: str) -> None:
    reserving = Reserving()
    said = begun(reserving, snapshot(document))
    assert (said["CALLRACE_RESULT"], said["CALLRACE_LEGS"]) == ("DIAL", "agent-1")
    [wish] = reserving.wished
    assert not wish.is_nothing
    began = f"{MONDAY_9_NEW_YORK - 100},1763992799.7,{DID},{NEW_YORKER},,,,,,{MONDAY_9_NEW_YORK},"
    assert wish.call_id == said["CALLRACE_CALL"] == id_of(outcome_of(began.split(",")))


@pytest.mark.parametrize("document", [CAPPED, PREPAID], ids=["caps", "funds"])
def test_a_call_whose_end_may_never_be_told_reserves_nothing_and_rings_nobody(document: str) -> None:
    assert answer("route", of=snapshot(document))["CALLRACE_RESULT"] == "NOBODY"


@pytest.mark.parametrize(
    ("reserved", "rung"),
    [
        (Answer(capped="campaign plumbing has no room left"), ("NOBODY", "")),
        (Answer(left_out={"agent-1": "no room left"}), ("DIAL", "overflow")),
        (Answer(left_out={"agent-1": "no room left", "overflow": "no room left"}), ("NOBODY", "")),
    ],
)
def test_for_whom_there_is_no_room_is_not_rung(reserved: Answer, rung: tuple[str, str]) -> None:
    said = begun(Reserving(reserved), snapshot(CAPPED))
    assert (said["CALLRACE_RESULT"], said["CALLRACE_LEGS"]) == rung


def test_the_terms_are_those_of_when_the_call_began_and_the_record_will_say_so() -> None:
    staged = '    staged:\n      from: 2025-11-24T13:59:59.500Z\n      price: "50.00"\n'
    document = ON_ANSWER.replace("    route:\n", f"{staged}    route:\n")
    marketplace = parse(document, "test.yaml")
    of = make_snapshot(7, marketplace, {"plumbing": 1}, GEOGRAPHY, {}, {"plumbing": 2})
    pins: dict[str, Pin] = {}
    before = begun(Reserving(), of, MONDAY_9_NEW_YORK - 2_000, pins)
    after = begun(Reserving(), of, MONDAY_9_NEW_YORK - 100, pins)
    assert {call_id: pin.terms_version for call_id, pin in pins.items()} == {
        before["CALLRACE_CALL"]: 1,
        after["CALLRACE_CALL"]: 2,
    }
    assert pins[before["CALLRACE_CALL"]] == Pin(7, "plumbing", "homefix", "sidebar", 1)


def test_a_call_that_came_while_the_campaign_was_open_is_rung_as_its_record_will_say() -> None:
    hours = '    hours: {timezone: America/New_York, open: ["mon 09:00-09:01"]}\n'
    of = snapshot(ON_ANSWER.replace("    route:\n", f"{hours}    route:\n"))
    at = MONDAY_9_NEW_YORK + 30_000
    request = Request("route", (DID, NEW_YORKER, "", str(at)), "1763992799.7")
    late = at + 60_000
    said = asyncio.run(route(of, request, late, Random(1), Reserving(), lambda call_id, pin: None))
    assert said["CALLRACE_RESULT"] == "DIAL"


def test_a_paused_destination_is_not_rung() -> None:
    paused = snapshot(**{"agent-1": "on holiday"})
    assert answer("route", of=paused)["CALLRACE_DIAL"] == "PJSIP/+12125550123@main"


def test_where_nobody_is_eligible_nobody_is_rung() -> None:
    paused = snapshot(**{"agent-1": "on holiday", "overflow": "full"})
    assert rung(of=paused) == ("NOBODY", "", "")


def test_a_blocked_caller_rings_nobody() -> None:
    assert rung("+19005550142") == ("REFUSED", "", "")


def test_no_more_are_rung_than_may_ring_at_once() -> None:
    both = MARKETPLACE.replace("agent-2]}", "overflow]}").replace(
        "    route:\n", "    route:\n      max_legs: 1\n"
    )
    assert "&" not in answer("route", of=snapshot(both))["CALLRACE_DIAL"]


def test_targets_are_joined_for_dial() -> None:
    targets = {
        "desk": "PJSIP/agent-101",
        "agent": "PJSIP/agents/sip:a@b.example:5071;transport=tcp",
        "pstn": "PJSIP/+12125550123@main",
    }
    assert dialled(targets) == ("desk&agent&pstn", "&".join(targets.values()))


def test_more_targets_than_a_command_has_room_for_are_left_out_whole() -> None:
    target = "PJSIP/agents/sip:" + "a" * 64 + "@agent.example:5071"
    legs, dial = dialled({f"agent-{n}": target for n in range(50)})
    assert len(legs) + len(dial) <= VALUE_CHARACTERS
    assert set(dial.split("&")) == {target}
    assert legs.count("&") == dial.count("&")
    said = {
        "CALLRACE_CALL": "0" * 23,
        "CALLRACE_LEGS": legs,
        "CALLRACE_DIAL": dial,
        "CALLRACE_RESULT": "DIAL",
    }
    assert Conversation(header()).set_variables(said)


@pytest.mark.parametrize(
    "target",
    [
        "PJSIP/a&PJSIP/b",
        "Local/s@default",
        "PJSIP/a,30",
        "PJSIP/a b",
        "PJSIP/agents/sip:a@b(x)",
        "PJSIP/${X}",
        "",
    ],
)
def test_a_target_that_means_more_than_one_telephone_is_never_made(target: str) -> None:
    with pytest.raises(ValueError, match="no dial target"):
        dialled({"agent": target})


def test_an_outcome_is_handed_on_with_all_its_fields() -> None:
    told: list[tuple[str, ...]] = []
    request = Request("record", ("1763992800000", "1763992800.7", DID))
    assert record(lambda fields: told.append(tuple(fields)), request) == {"CALLRACE_RESULT": "RECORDED"}
    assert told == [request.arguments]


def test_an_outcome_that_makes_no_sense_is_refused() -> None:
    def tell(fields: object) -> None:
        raise ValueError("expected 10 fields")

    assert record(tell, Request("record", ())) == {"CALLRACE_RESULT": "REFUSED"}


def test_a_caller_is_placed_by_the_marketplaces_own_area_codes() -> None:
    own = snapshot(ON_ANSWER + 'geography: {area_codes: {"621": TX}}\n')
    request = Request("lookup", (DID, "+16215550142", ""))
    assert lookup(own, request, MONDAY_9_NEW_YORK)["CALLRACE_STATE"] == "TX"
