"""What a carrier's way of writing an INVITE comes to: whose call it is, who calls, and what it costs."""

from __future__ import annotations

import pytest

from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ivr.prompts import media
from ari_app.domain.routing.screening import REFUSED_PROMPT
from ari_app.views.explain import explain
from tests.behaviour.exchange import Call, Exchange
from tests.kit.market import DID

TERMS = [{"connected_at_least": "90s"}, {"no_repeat_within": "30d"}]
ANI = "+12125550142"
HIDDEN = ("266696687", "+266696687", "7378742833", "+17378742833", "+15555555555", "0000000000", "anonymous")


def dials(exchange: Exchange, from_: str, ani: str | None, **headers: str) -> Call:
    """Somebody calls whose INVITE has this in From; `ani` is who that is."""
    return exchange.dials(
        ani=ani, invite={"request": DID, "channel": "PJSIP/carrier-1", "From": f"<sip:{from_}@h>"} | headers
    )


async def paid(exchange: Exchange, call: Call) -> int:
    """What is charged for a conversation of 100 s."""
    await call.connected()
    record = await call.hangs_up(after_s=100).over()
    assert record.money is not None
    await exchange.passes(60)
    return record.money.charged


async def test_callers_who_hide_do_not_redial_and_are_paid_each(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(qualify=TERMS[:1], campaign={"screen": {"redial_within": "1h"}})
    charged = [await paid(exchange, dials(exchange, written, None)) for written in (*HIDDEN, *HIDDEN)]
    assert charged == [4200] * 2 * len(HIDDEN)
    assert exchange.balance("advertiser:acme") == -4200 * 2 * len(HIDDEN)


async def test_callers_who_hide_are_nobodys_repeat(exchange: Exchange) -> None:
    """Nor can they show that they are new, where terms ask for that."""
    exchange.agent("ann").accepts()
    await exchange.serves(qualify=TERMS)
    for written in (*HIDDEN, *HIDDEN):
        call = dials(exchange, written, None)
        await call.connected()
        verdict = (await call.hangs_up(after_s=100).over()).qualification
        assert verdict is not None
        [failed] = [clause.detail for clause in verdict.clauses if not clause.passed]
        assert failed == "an anonymous caller cannot be told from a repeat caller"
    assert await paid(exchange, dials(exchange, ANI, ANI)) == 4200
    assert exchange.balance("advertiser:acme") == -4200


async def test_one_caller_written_in_many_ways_is_their_own_repeat(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(qualify=TERMS)
    ways = ("+12125550142", "212-555-0142", "(212) 5550142", "0012125550142", "5550142;phone-context=+1212")
    assert [await paid(exchange, dials(exchange, written, ANI)) for written in ways] == [4200, 0, 0, 0, 0]


@pytest.mark.parametrize("written", HIDDEN)
async def test_callers_who_hide_are_refused_where_the_campaign_wants_a_number(
    exchange: Exchange, written: str
) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(campaign={"screen": {"anonymous": "refuse"}})
    call = dials(exchange, written, None)
    record = await call.over()
    assert (record.disposition, record.ani, call.heard) == ("blocked", None, [media(REFUSED_PROMPT)])


async def test_a_dialplan_of_somebodys_own_cannot_make_a_word_a_caller(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves(campaign={"screen": {"anonymous": "refuse"}})
    call = exchange.dials(ani="+266696687")
    call.ani = None
    assert (await call.over()).disposition == "blocked"


async def test_a_trunks_rules_say_where_numbers_and_attestations_stand(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    rules = {"number_in": "X-DID", "prefix": "7742#", "attestation_from": "verstat"}
    await exchange.serves(also={"trunks": {"carrier": rules}, "screen": {"attestation": ["A"]}})
    signed = "2125550142;verstat=TN-Validation-Passed-A"
    diversion = "<sip:+13105550142@h>;reason=unconditional"
    call = dials(
        exchange, signed, ANI, **{"request": "acme-1", "X-DID": "7742#8005550101", "Diversion": diversion}
    )
    await call.connected()
    record = await call.hangs_up(after_s=1).over()
    assert (record.did, record.ani, record.attestation) == (DID, ANI, "A")
    assert record.diversion == [diversion]


async def test_a_known_number_where_the_trunk_does_not_look_is_said_in_the_record(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    call = dials(exchange, ANI, ANI, **{"request": "acme-1", "To": f"<sip:{DID}@h>"})
    call.did = ""
    record = await call.over()
    assert record.disposition == "unknown_number"
    details = {event.what: event.detail for event in record.events}
    assert details[EventName.NUMBER_ELSEWHERE] == "To; trunks.carrier.number_in is request"
    assert "A tracking number stands where nobody looks for it: in To" in str(explain(record))
