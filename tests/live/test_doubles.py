"""What comes in as a call and is none of its own, and a call that was given up and is made again."""

import asyncio
import time

import pytest

from ari_app.lab.sipp import answers
from tests.kit.interop import interop
from tests.live.exchange import DID, marketplace, phones, uris
from tests.live.sip import party, sdp

pytestmark = pytest.mark.live

HEADER = "X-Callrace-Call"


def details(record, what):
    """What the timeline says of one kind of event."""
    return [event.detail for event in record.events if event.what == what]


async def invited(party, did=DID, *headers, **ids):
    """The final response to an INVITE, and its dialog."""
    line = party.call(did, **ids)
    return await line.ask("INVITE", *headers, body=sdp(party.rtp_port)), line


def calls_and_gives_up(line):
    """An INVITE that Asterisk takes and its CANCEL; the switch, which runs in this loop, sees nothing meanwhile."""
    invite = line.send("INVITE", body=sdp(line.party.rtp_port), branch="-given-up")
    time.sleep(0.3)
    line.send("CANCEL", cseq=invite, branch="-given-up")
    time.sleep(0.3)
    return invite


@interop(
    "A7",
    "A leg that comes back as a call",
    does="482 before anybody rings, and a line in the record of the call it is of",
)
async def test_a_leg_that_comes_back_as_a_call_is_refused_before_anybody_rings(lab, exchange):
    waves = [{"destinations": ["gateway"]}, {"destinations": ["agent"], "after": "2s"}]
    async with phones({"agent": answers()}) as agents, party(lab.sip) as carrier, party(lab.sip) as gateway:
        where = uris(agents) | {"gateway": gateway.uri}
        exchange.apply(marketplace(where, waves=waves, accept="answer", destination={"capacity": 5}))
        answered, line = await invited(carrier)
        leg = await gateway.called()
        assert leg.invite is not None
        back, _ = await invited(gateway, DID, f"{HEADER}: {leg.invite[HEADER]}")
        assert back.status == 482
        leg.answer(leg.invite, "482 Loop Detected")
        await exchange.connected()
        assert (await line.ask("BYE")).status == 200
        record = await exchange.record()
        assert answered.status == 200
        assert leg.invite[HEADER] == record.id
        assert gateway.invites.empty()
        assert record.winner == "agent"
        [why] = details(record, "came again")
        assert why == f"a leg of it came back as a call to {DID}; a destination leads there"
        # Another exchange's leg is a call like any other, and so is one whose header is nonsense.
        for strange in ("001a2203d44d30af7d5c30c", "x,y)${EXTEN}\"'", "0" * 200):
            other, line = await invited(carrier, DID, f"{HEADER}: {strange}", ani="+12125550177")
            assert other.status == 200
            await line.ask("BYE")
            assert (await exchange.record()).ani == "+12125550177"


@interop(
    "A8",
    "A call that is delivered by two addresses, or once more after its end",
    does="it is one call: the second gets 482",
)
async def test_a_call_that_is_delivered_by_two_addresses_is_one_call(lab, exchange):
    ids = {"call_id": "one)call}at%once@carrier", "tag": "t-1"}
    async with phones({"agent": answers()}) as agents, party(lab.sip) as one, party(lab.sip) as two:
        exchange.apply(marketplace(uris(agents), accept="answer"))
        both = await asyncio.gather(invited(one, **ids), invited(two, **ids))
        assert sorted(answer.status for answer, _ in both) == [200, 482]
        [line] = [line for answer, line in both if answer.status == 200]
        await exchange.connected()
        assert (await line.ask("BYE")).status == 200
        record = await exchange.record()
        assert record.disposition == "connected"
        assert details(record, "came again") == [
            "delivered once more, by another way: the same Call-ID and From tag"
        ]
        # So it is when it comes after the end, as from a proxy that was stopped meanwhile. Another tag is another call.
        late, _ = await invited(two, call_id=ids["call_id"], tag=ids["tag"], ani="+12125550143")
        assert late.status == 482
        another, line = await invited(two, call_id="another@carrier", tag=ids["tag"], ani="+12125550143")
        assert another.status == 200
        await line.ask("BYE")
        assert (await exchange.record()).ani == "+12125550143"
        assert exchange.switch.live() == []


@interop("A8", "A call that was withdrawn before the answer, and comes again", does="it is no redial")
async def test_a_call_that_was_given_up_before_its_answer_is_no_redial(lab, exchange):
    async with phones({"agent": answers()}) as agents, party(lab.sip) as carrier:
        exchange.apply(
            marketplace(uris(agents), accept="answer", campaign={"screen": {"redial_within": "60s"}})
        )
        given_up = carrier.call(DID)
        invite = calls_and_gives_up(given_up)
        final = await given_up.final("INVITE", invite)
        given_up.send("ACK", cseq=invite, branch="-given-up")
        assert final.status == 487
        assert (await exchange.record()).answered_at is None
        again, line = await invited(carrier)
        await exchange.connected()
        await line.ask("BYE")
        assert again.status == 200
        assert (await exchange.record()).disposition == "connected"
        _, line = await invited(carrier)  # that one was answered: this is a redial
        await line.ask("BYE")
        assert (await exchange.record()).disposition == "blocked"
