"""What is written down of a call, line for line: who reads it wants to know why the call went as it did."""

from __future__ import annotations

from ari_app.ari.errors import AriTimeout
from ari_app.ari.testing import Phone
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import CallRecord, Exclusion
from ari_app.domain.ivr.prompts import CAPPED_PROMPT, NOBODY_PROMPT, media
from tests.behaviour.exchange import Exchange, uri
from tests.behaviour.test_callers import SERVICE
from tests.kit.market import marketplace

CAME = [
    "received: +12125551001 called +18005550101",
    "attributed: campaign plumbing, publisher homefix, source banner, terms version 1",
    "call answered",
]
LOCATED = "located: NY, from ani"
ANN_RINGS = ["offered: ann: wave 1", "ringing: ann"]
ANN_TALKS = [
    *ANN_RINGS,
    "answered: ann",
    "pressed: ann: 1",
    "accepted: ann: the call is awarded",
    "connected: ann",
]
CALLER_LEFT = ["caller hung up", "ended: by the caller"]
LAST_SEEN = "switch restarted: it was last seen at 2026-11-23T17:00:43.020Z"


def story(record: CallRecord) -> list[str]:
    """The timeline, as one reads it."""
    return [f"{event.what}: {event.detail}" if event.detail else event.what for event in record.events]


def asked_of(exchange: Exchange) -> list[Request]:
    """Every request to Asterisk from now on."""
    requests: list[Request] = []
    exchange.asterisk.before = requests.append
    return requests


async def test_a_call_that_is_asked_offered_and_taken(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(flow=SERVICE)
    call = exchange.dials().presses("110001")
    await call.connected()
    record = await call.hangs_up(after_s=90).over()
    assert story(record) == [
        *CAME,
        "asked: service",
        "entered: 1",
        "asked: zip",
        "entered: 10001",
        "located: NY 10001, from zip",
        *ANN_TALKS,
        "gone: ann: cause 16",
        *CALLER_LEFT,
        "judged: qualified",
    ]
    assert (record.durations_ms.ivr, record.durations_ms.wait) == (1_000, 3_020)


async def test_a_call_that_nobody_takes(exchange: Exchange) -> None:
    exchange.agent("ann").is_busy()
    exchange.agent("bob").is_known = False
    waves = [{"destinations": ["ann"]}, {"destinations": ["bob"]}]
    await exchange.serves(wait="music", waves=waves)
    call = exchange.dials()
    record = await call.over()
    assert story(record) == [
        *CAME,
        LOCATED,
        *ANN_RINGS,
        "gone: ann: cause 17",
        "offered: bob: wave 2",
        "not dialled: bob: 500 Allocation failed",
        "gone: bob: cause 0",
        "nobody left to ring",
        "fallback: hang up",
        "ended: by the system",
        "judged: not qualified: connected",
    ]
    assert call.heard == [media(NOBODY_PROMPT)]
    assert [leg.failure for leg in record.legs] == [None, "500 Allocation failed"]


async def test_a_phone_that_hangs_up_without_a_cause_was_reached_all_the_same(exchange: Exchange) -> None:
    exchange.agent("ann").accepts().does(lambda asterisk, channel: asterisk.end(channel, 0), after_s=90)
    await exchange.serves()
    record = await exchange.dials().over()
    assert "gone: ann: no cause given" in story(record)
    assert (record.disposition, record.end_source) == ("connected", "agent")
    assert [(leg.outcome, leg.hangup_cause) for leg in record.legs] == [("won", 0)]


async def test_a_phone_that_ends_while_it_rings_and_gives_no_cause_has_failed(exchange: Exchange) -> None:
    exchange.agent("ann").refuses(cause=0)
    await exchange.serves()
    record = await exchange.dials().over()
    assert [line for line in story(record) if line.startswith("gone")] == ["gone: ann: no cause given"]
    assert [(leg.outcome, leg.hangup_cause, leg.failure) for leg in record.legs] == [("failed", 0, None)]


async def test_a_call_whose_agent_asterisk_says_nothing_of(exchange: Exchange) -> None:
    def says_nothing(request: Request) -> None:
        if request.uri.endswith("-leg-000000") and request.method == "POST":
            raise AriTimeout("no answer in 5 s")

    exchange.agent("ann")
    await exchange.serves()
    exchange.asterisk.before = says_nothing
    record = await exchange.dials().over()
    assert "not dialled: ann: no answer in 5 s" in story(record)
    assert [leg.failure for leg in record.legs] == ["no answer in 5 s"]


async def test_a_call_to_a_number_of_nobody_is_refused_as_such(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    call = exchange.dials("+18005559999")
    assert story(await call.over()) == [
        "received: +12125551001 called +18005559999",
        "unknown number: +18005559999",
        "ended: by the system",
    ]
    assert call.channel.cause == 1


async def test_a_call_that_is_offered_again(exchange: Exchange) -> None:
    exchange.agent("ann").accepts().vanishes(after_s=3)
    exchange.agent("bob").accepts()
    waves = [{"destinations": ["ann"]}, {"destinations": ["bob"]}]
    await exchange.serves(wait="music", waves=waves)
    requests = asked_of(exchange)
    call = exchange.dials()
    record = await call.hangs_up(after_s=60).over()
    assert story(record) == [
        *CAME,
        LOCATED,
        *ANN_TALKS,
        "gone: ann: cause 38",
        "vanished: ann: the call is offered again",
        "offered: bob: wave 2",
        "ringing: bob",
        "answered: bob",
        "pressed: bob: 1",
        "accepted: bob: the call is awarded",
        "connected: bob",
        "gone: bob: cause 16",
        *CALLER_LEFT,
        "judged: qualified",
    ]
    about_music = [str(one) for one in requests if one.uri.endswith("/moh")]
    assert about_music == 2 * ["POST channels/caller-1/moh", "DELETE channels/caller-1/moh"]
    ends_after = [
        one.query["value"]
        for one in requests
        if one.uri == "channels/caller-1/variable" and one.query and one.method == "POST"
    ]
    assert ends_after == ["14403.000", "0.000", "14403.000"]


async def test_a_call_whose_agent_hangs_up_and_one_that_lasts_as_long_as_it_may(exchange: Exchange) -> None:
    exchange.agent("ann").accepts().hangs_up(after_s=50).then().accepts()
    await exchange.serves(max_duration="5m", fallback={"play": "sound:sorry"})
    first = exchange.dials()
    assert story(await first.over())[-3:] == ["agent hung up", "ended: by the agent", "judged: qualified"]
    assert first.heard == []
    second = exchange.dials()
    assert story(await second.over())[-3:] == [
        "longest duration reached",
        "ended: by the system",
        "judged: qualified",
    ]


async def test_a_call_that_waits_for_an_agent_who_talks(exchange: Exchange) -> None:
    exchange.agent("ann").accepts()
    await exchange.serves(destination={"capacity": 1})
    first = exchange.dials()
    await first.connected()
    in_vain, patient = exchange.dials(), exchange.dials()
    await exchange.passes(5)
    record = await in_vain.hangs_up().over()
    assert story(record)[3:] == [
        LOCATED,
        "at capacity: ann: 1 in use",
        *CALLER_LEFT,
        "judged: not qualified: connected",
    ]
    assert record.excluded == [Exclusion("ann", "at capacity, or not reached before the race was over")]
    await first.hangs_up().over()
    await patient.connected()
    assert story(await patient.hangs_up().over())[4:7] == ["at capacity: ann: 1 in use", *ANN_RINGS]


async def test_a_call_that_waits_for_an_agent_who_is_on_a_call_of_their_own(exchange: Exchange) -> None:
    exchange.agent("ann")
    await exchange.serves()
    exchange.switch.shared.capacity.set_elsewhere("ann", True)
    call = exchange.dials()
    await exchange.passes(5)
    record = await call.hangs_up().over()
    assert story(record)[4] == "on another call: ann"
    assert record.excluded == [Exclusion("ann", "on another call")]


async def test_a_call_that_waits_for_a_trunk(exchange: Exchange) -> None:
    """The caller came by it, and so has one of its two places."""
    exchange.asterisk.phones["PJSIP/+12125550100@carrier"] = ann = Phone()
    exchange.asterisk.phones["PJSIP/+12125550101@carrier"] = Phone()
    by_trunk = {
        name: {"phone": f"+1212555010{n}", "trunk": "carrier"} for n, name in enumerate(("ann", "bob"))
    }
    waves = [{"destinations": ["ann"]}, {"destinations": ["bob"], "after": "2s"}]
    document = marketplace(by_trunk, waves=waves) | {"trunks": {"carrier": {"concurrent": 2}}}
    exchange.applies(document)
    await exchange.starts()
    call = exchange.dials()
    await exchange.passes(4)
    record = await call.hangs_up().over()
    assert story(record)[3:] == [
        LOCATED,
        *ANN_RINGS,
        "trunk full: bob: trunk carrier, 2 in use",
        "gone: ann: cause 16",
        *CALLER_LEFT,
        "judged: not qualified: connected",
    ]
    why = "trunk carrier full, or not reached before the race was over"
    assert record.excluded == [Exclusion("bob", why)]
    assert ann.channel.caller == call.ani


async def test_a_call_of_which_a_destination_and_one_of_which_the_campaign_has_had_its_fill(
    exchange: Exchange,
) -> None:
    exchange.agent("ann").accepts()
    exchange.agent("bob").accepts()
    once = {"max": 1, "per": "day", "basis": "connected"}
    await exchange.serves(
        waves=[{"destinations": ["ann"]}, {"destinations": ["bob"]}],
        campaign={"caps": [once | {"max": 2}]},
        also={"destinations": {"ann": {"caps": [once]}}},
    )
    records = []
    for _ in range(3):
        call = exchange.dials()
        records.append(await call.hangs_up(after_s=20).over())
    why = "destination ann has no room left in its cap of 1 connected call a day"
    assert story(records[1])[4:6] == [f"excluded: ann: {why}", "offered: bob: wave 2"]
    assert records[1].excluded == [Exclusion("ann", why)]
    full = "refused: campaign plumbing has no room left in its cap of 2 connected calls a day"
    assert story(records[2])[3:] == [LOCATED, full, "ended: by the system"]
    assert call.heard == [media(CAPPED_PROMPT)]


# After a switch that died


async def dies(exchange: Exchange, *, then_s: float = 20) -> None:
    exchange.dies()
    await exchange.passes(then_s)


async def test_a_conversation_that_is_taken_up_again(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(40)
    await dies(exchange)
    requests = asked_of(exchange)
    await exchange.starts()
    record = await call.hangs_up(after_s=40).over()
    assert story(record) == [
        *CAME,
        LOCATED,
        *ANN_TALKS,
        LAST_SEEN,
        "taken up again: talks to ann",
        *CALLER_LEFT,
        "judged: qualified",
    ]
    [leg] = record.legs
    assert leg.ended_at == record.ended_at
    [limit] = [
        one.query["value"]
        for one in requests
        if one.uri == "channels/caller-1/variable" and one.query and one.method == "POST"
    ]
    assert 14_340 < float(limit) < 14_345  # the four hours, less what they talked
    await exchange.passes(1)
    assert ann.causes == [16]


async def test_a_conversation_whose_agent_left_meanwhile(exchange: Exchange) -> None:
    ann, bob = exchange.agent("ann").accepts(), exchange.agent("bob").then().accepts()
    waves = [{"destinations": ["ann"]}, {"destinations": ["bob"]}]
    await exchange.serves(destination={"capacity": 1}, waves=waves)
    left_alone = exchange.dials()
    await left_alone.connected(ann)
    await exchange.passes(40)
    exchange.dies()
    ann.hangs_up()
    await exchange.passes(20)
    await exchange.starts()
    record = await left_alone.over()
    assert story(record)[-4:] == [
        LAST_SEEN,
        "the agent was gone when the switch was back",
        "ended: by the agent",
        "judged: qualified",
    ]
    assert (record.end_source, record.legs[0].ended_at) == ("agent", record.ended_at)
    assert left_alone.channel.cause == 16
    assert bob.times_rung == 0


async def test_a_conversation_whose_caller_left_meanwhile(exchange: Exchange) -> None:
    ann = exchange.agent("ann").accepts()
    await exchange.serves()
    call = exchange.dials()
    await call.connected(ann)
    await exchange.passes(40)
    exchange.dies()
    call.hangs_up()
    await exchange.passes(20)
    await exchange.starts()
    record = await call.over()
    assert story(record)[-4:] == [
        LAST_SEEN,
        "the caller was gone when the switch was back",
        "ended: by the caller",
        "judged: qualified",
    ]
    assert (record.disposition, record.durations_ms.connected) == ("connected", 40_000)


async def test_a_call_that_begins_again_where_the_caller_was(exchange: Exchange) -> None:
    ann = exchange.agent("ann").then().accepts()
    await exchange.serves(flow=SERVICE)
    call = exchange.dials().presses("110001")
    await exchange.passes(10)
    await dies(exchange)
    requests = asked_of(exchange)
    await exchange.starts()
    await call.connected(ann)
    record = await call.hangs_up(after_s=40).over()
    # Whether there was time to write down that it rang is the disk's affair.
    rung_before = ["offered: ann: wave 1"]
    told = story(record)[8:]
    if told[1] == "ringing: ann":
        rung_before.append("ringing: ann")
    assert told == [
        *rung_before,
        "switch restarted: it was last seen at 2026-11-23T17:00:10.001Z",
        "begun again: at offer, where the caller was",
        "located: NY 10001, from zip",
        *ANN_TALKS,
        "gone: ann: cause 16",
        *CALLER_LEFT,
        "judged: qualified",
    ]
    assert [leg.outcome for leg in record.legs] == ["cancelled", "won"]
    assert ann.causes == [16, 16]
    asked = [str(one) for one in requests]
    assert not [one for one in asked if one.endswith("/answer")]
    assert "DELETE channels/caller-1/moh" in asked
    assert uri("ann") in str([one.query for one in requests])


async def test_a_call_that_begins_again_from_the_start(exchange: Exchange) -> None:
    ann = exchange.agent("ann").then().accepts()
    await exchange.serves()
    call = exchange.dials()
    await exchange.passes(10)
    await dies(exchange)
    await exchange.starts()
    await call.connected(ann)
    record = await call.hangs_up(after_s=40).over()
    assert "begun again: from the start" in story(record)
    assert record.answered_at == record.started_at


async def test_a_call_that_begins_again_twice_takes_no_name_twice(exchange: Exchange) -> None:
    ann = exchange.agent("ann").then().then().accepts()
    await exchange.serves()
    call = exchange.dials()
    names = []
    for _ in range(2):
        await exchange.passes(10)
        names.append(ann.channel.id)
        await dies(exchange, then_s=1)
        await exchange.starts()
    await call.connected(ann)
    names.append(ann.channel.id)
    record = await call.hangs_up(after_s=40).over()
    assert names == [f"{record.id}{again}-leg-000000" for again in ("", "-r1", "-r2")]
