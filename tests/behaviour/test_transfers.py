"""Agents who transfer their callers: refused by default; followed to whom the campaign lets them."""

from __future__ import annotations

from typing import Any

import pytest

from ari_app.ari.testing import Phone
from ari_app.domain.calls.record import CallRecord
from ari_app.views.explain import explain
from tests.behaviour.exchange import Exchange, outcomes, timeline
from tests.behaviour.test_recovery import dies_for
from tests.kit.market import DID

NUMBER = "+16465550123"
FOLLOW = {"transfer": {"numbers": ["+1646*"], "trunk": "main"}}
NORMAL, BUSY, ELSEWHERE = 16, 17, 26


def desk(exchange: Exchange, number: str = NUMBER) -> Phone:
    """A phone on the PSTN."""
    phone = exchange.asterisk.phones[f"PJSIP/{number}@main"] = Phone()
    return phone


def came_of(record: CallRecord) -> list[tuple[str | None, str | None]]:
    return [(one.to, one.outcome) for one in record.transfers]


def charged(record: CallRecord) -> int:
    assert record.money is not None
    return record.money.charged


async def talks(exchange: Exchange, **campaign: Any) -> Any:
    ann = exchange.agent("ann").accepts()
    rules = {name: campaign.pop(name) for name in ("qualify", "also", "max_duration") if name in campaign}
    await exchange.serves(campaign={**FOLLOW, **campaign}, **rules)
    call = exchange.dials()
    await call.connected(ann)
    return ann, call


async def test_by_default_a_transfer_is_refused_at_once_and_the_call_goes_on(exchange: Exchange) -> None:
    ann, call = await exchange.talks("ann")
    ann.transfers(NUMBER)
    await exchange.passes(10)
    assert ann.channel.notified == ["603"]
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    record = await call.hangs_up().over()
    assert (record.transfers, record.durations_ms.first) == ([], None)


async def test_a_caller_who_is_transferred_to_a_number_talks_on_in_one_call(exchange: Exchange) -> None:
    phone = desk(exchange).answers(after_s=4)
    ann, call = await talks(exchange)
    ann.transfers("6465550123", after_s=10)
    await exchange.asterisk.until(lambda: phone.times_rung)
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}  # they talk on meanwhile
    await call.connected(phone)
    await exchange.passes(0.1)
    assert exchange.asterisk.partners(call.channel) == {phone.channel.id}
    assert ann.channel.notified[-1] == "channel_answered"
    await exchange.passes(3)
    assert ann.causes == [NORMAL]
    assert exchange.switch.status()["capacity_in_use"] == {}
    record = await call.hangs_up(after_s=57).over()
    assert phone.causes == [NORMAL]
    assert (record.disposition, record.winner, record.end_source) == ("connected", "ann", "caller")
    assert came_of(record) == [(NUMBER, "connected")]
    [transfer] = record.transfers
    assert (transfer.asked, transfer.trunk) == ("6465550123", "main")
    assert transfer.answered_at is not None and transfer.ended_at is not None and transfer.rtp is not None
    assert transfer.ended_at - transfer.answered_at == pytest.approx(60_000, abs=300)
    assert record.durations_ms.connected == pytest.approx(74_000, abs=500)
    assert record.durations_ms.first == pytest.approx(14_000, abs=500)
    assert outcomes(record) == {"ann": "won"}
    told = "\n".join(line for section in explain(record) for line in section.lines)
    assert f"transfer to {NUMBER}" in told
    assert "by trunk main, took the caller after 4" in told


async def test_the_transferee_who_hangs_up_ends_the_call(exchange: Exchange) -> None:
    phone = desk(exchange).answers()
    ann, call = await talks(exchange)
    ann.transfers(NUMBER)
    await call.connected(phone)
    phone.hangs_up(after_s=20)
    record = await call.over()
    assert (record.disposition, record.end_source) == ("connected", "agent")
    assert "transferee gone" in timeline(record)
    assert "agent hung up" not in timeline(record)


@pytest.mark.parametrize("after_s", [0.0, 1.0])
async def test_the_transferee_who_hangs_up_before_the_agents_phone_is_gone_ends_the_call(
    exchange: Exchange, after_s: float
) -> None:
    phone = desk(exchange).answers()
    ann, call = await talks(exchange)
    ann.transfers(NUMBER, after_s=1)
    await call.connected(phone)
    phone.hangs_up(after_s=after_s)
    record = await call.over()
    assert record.end_source == "agent"
    assert ann.causes == [NORMAL]
    assert ann.times_rung == 1


@pytest.mark.parametrize(
    ("does", "outcome", "told"),
    [
        (Phone.is_busy, "busy", "channel_unavailable"),
        (Phone.refuses, "declined", "channel_declined"),
        (lambda phone: phone, "no_answer", "channel_unavailable"),
        (Phone.answers_soundlessly, "failed", "channel_unavailable"),
        (lambda phone: phone.forwards("5551234"), "failed", "channel_unavailable"),
        (lambda phone: setattr(phone, "is_known", False), "failed", "channel_unavailable"),
    ],
)
async def test_a_transfer_that_fails_leaves_the_caller_with_the_agent(
    exchange: Exchange, does: Any, outcome: str, told: str
) -> None:
    does(desk(exchange))
    ann, call = await talks(exchange)
    ann.transfers(NUMBER)
    await exchange.passes(45)
    assert ann.channel.notified[-1] == told
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, outcome)]
    assert (record.winner, record.durations_ms.first) == ("ann", None)
    assert record.durations_ms.connected == pytest.approx(65_000, abs=500)


async def test_an_agent_may_try_again_after_a_transfer_that_failed(exchange: Exchange) -> None:
    desk(exchange).is_busy()
    other = desk(exchange, "+16465550124").answers()
    ann, call = await talks(exchange)
    ann.transfers(NUMBER).transfers("+16465550124", after_s=10)
    await call.connected(other)
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, "busy"), ("+16465550124", "connected")]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("+12125550199", "is not among the destinations and numbers"),
        ("+16465550123&PJSIP/evil", "is not among"),
        ("", "nobody is not among"),
        (DID, "is not among"),
        ("zed", "zed is not among"),
        ("+1" + "6" * 300, "is not among"),
    ],
)
async def test_who_may_not_be_reached_is_not_rung(exchange: Exchange, asked: str, why: str) -> None:
    ann, call = await talks(exchange)
    requests = len(exchange.asterisk.requests)
    ann.transfers(asked)
    await exchange.passes(10)
    assert ann.channel.notified == ["channel_declined"]
    assert not [one for one in exchange.asterisk.requests[requests:] if "-leg-" in one and "POST" in one
                and "transfer_progress" not in one]  # fmt: skip
    record = await call.hangs_up().over()
    assert came_of(record) == [(None, "refused")]
    assert why in (record.transfers[0].why or "")


async def test_a_transfer_to_a_call_that_the_agent_has_already_is_refused(exchange: Exchange) -> None:
    ann, call = await talks(exchange)
    ann.does(lambda asterisk, channel: asterisk.refer(channel, NUMBER, replaces="another-call"), after_s=5)
    await exchange.passes(10)
    assert ann.channel.notified == ["channel_declined"]
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    record = await call.hangs_up().over()
    assert "already under way" in (record.transfers[0].why or "")


async def test_what_the_trunk_may_not_dial_no_transfer_reaches(exchange: Exchange) -> None:
    rules = {"numbers": ["+1*", "+44*"], "trunk": "main"}
    ann, call = await talks(exchange, transfer=rules)
    ann.transfers("+442071234567").transfers("+18765550123").transfers(DID)
    await exchange.passes(20)
    record = await call.hangs_up().over()
    assert [one.outcome for one in record.transfers] == ["refused"] * 3
    assert "may not dial" in (record.transfers[0].why or "")
    assert "may not dial" in (record.transfers[1].why or "")
    assert "tracking number" in (record.transfers[2].why or "")


async def test_a_trunk_that_is_full_dials_for_no_transfer(exchange: Exchange) -> None:
    phone = desk(exchange).answers()
    ann, call = await talks(exchange, also={"trunks": {"main": {"concurrent": 1}}})
    ann.transfers(NUMBER)
    await call.connected(phone)
    assert exchange.switch.status()["on_trunks"] == {"main": 1}
    second = exchange.dials()
    await second.connected(ann)
    ann.transfers(NUMBER)
    await exchange.passes(5)
    record = await second.hangs_up().over()
    assert record.transfers[-1].why == "trunk main has no room for another call"
    await call.hangs_up().over()


async def test_a_transfer_to_a_destination_takes_its_place(exchange: Exchange) -> None:
    desk_phone = exchange.agent("desk").answers()
    ann = exchange.agent("ann").accepts()
    await exchange.serves(waves=[{"destinations": ["ann"]}], campaign={"transfer": "follow"})
    call = exchange.dials()
    await call.connected(ann)
    ann.transfers("desk")
    await call.connected(desk_phone)
    await exchange.passes(3)
    assert exchange.switch.status()["capacity_in_use"] == {"desk": 1}
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [("desk", "connected")]
    assert (record.winner, outcomes(record)) == ("ann", {"ann": "won"})


async def test_an_agent_who_hangs_up_at_once_leaves_the_caller_to_who_is_rung(exchange: Exchange) -> None:
    phone = desk(exchange).answers(after_s=10)
    ann, call = await talks(exchange)
    ann.transfers(NUMBER).hangs_up(after_s=0.1)
    await exchange.passes(8)
    assert call.channel.hears == "ring"
    await call.connected(phone)
    await exchange.passes(0.1)
    assert call.channel.hears is None
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, "connected")]
    assert record.durations_ms.connected == pytest.approx(35_000, abs=500)
    assert record.durations_ms.first == pytest.approx(5_100, abs=300)


async def test_if_nobody_takes_the_caller_whom_the_agent_left_the_call_is_over(exchange: Exchange) -> None:
    desk(exchange).is_busy()
    ann, call = await talks(exchange)
    ann.transfers(NUMBER).hangs_up(after_s=0.1)
    record = await call.over()
    assert (record.end_source, came_of(record)) == ("agent", [(NUMBER, "busy")])
    assert ann.times_rung == 1


async def test_a_caller_who_hangs_up_while_somebody_is_rung_leaves_nobody_behind(exchange: Exchange) -> None:
    phone = desk(exchange)
    ann, call = await talks(exchange)
    ann.transfers(NUMBER)
    await exchange.asterisk.until(lambda: phone.times_rung)
    record = await call.hangs_up(after_s=2).over()
    assert came_of(record) == [(NUMBER, "cancelled")]
    await exchange.passes(5)
    assert phone.causes == ann.causes == [NORMAL]


@pytest.mark.parametrize(
    ("of", "qualified"),
    [("whole", True), ("first", False)],
    ids=["the whole counts", "the first part counts"],
)
async def test_terms_look_at_the_part_of_the_conversation_that_the_campaign_says(
    exchange: Exchange, of: str, qualified: bool
) -> None:
    phone = desk(exchange).answers()
    qualify = [{"connected_at_least": "30s"}]
    ann, call = await talks(exchange, duration_of=of, qualify=qualify)
    ann.transfers(NUMBER, after_s=20)
    await call.connected(phone)
    record = await call.hangs_up(after_s=20).over()
    assert record.qualification is not None
    assert record.qualification.qualified == qualified
    assert charged(record) == (4200 if qualified else 0)
    assert f"duration_of: {of}" in record.qualification.clauses[1].detail
    assert [event.detail for event in record.events if event.what == "conversation counted"]


async def test_a_transfer_does_not_make_the_call_longer_than_was_reserved_for(exchange: Exchange) -> None:
    phone = desk(exchange).answers()
    price = {"per_minute": "1.00"}
    ann, call = await talks(exchange, price=price, max_duration="2m")
    ann.transfers(NUMBER, after_s=50)
    await call.connected(phone)
    record = await call.over()
    assert (record.end_source, charged(record)) == ("system", 200)
    assert "longest duration reached" in timeline(record)
    assert phone.causes == [NORMAL]


async def test_who_was_transferred_to_and_who_has_not_won_cannot_transfer(exchange: Exchange) -> None:
    phone = desk(exchange).answers()
    bob = exchange.agent("bob").answers(after_s=1)
    ann, call = await talks(exchange)
    bob.transfers(NUMBER, after_s=0)
    ann.transfers(NUMBER)
    await call.connected(phone)
    phone.transfers(NUMBER, after_s=1)
    await exchange.passes(5)
    assert phone.channel.notified == ["603"]
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, "connected")]


async def test_the_recording_goes_on(exchange: Exchange) -> None:
    phone = desk(exchange).answers()
    recording = {"consent": {"prompt": "sound:beep", "everywhere": True}}
    ann, call = await talks(exchange, recording=recording)
    ann.transfers(NUMBER)
    await call.connected(phone)
    await call.hangs_up(after_s=20).over()
    assert exchange.recorder.told == ["start"]


# A switch dies


async def test_a_switch_that_dies_while_somebody_is_rung_leaves_the_caller_with_the_agent(
    exchange: Exchange,
) -> None:
    phone = desk(exchange)
    ann, call = await talks(exchange)
    ann.transfers(NUMBER)
    await exchange.asterisk.until(lambda: phone.times_rung)
    await exchange.passes(1)
    await dies_for(exchange, 3)
    await exchange.passes(3)
    assert exchange.asterisk.partners(call.channel) == {ann.channel.id}
    assert phone.causes and phone.causes[0] is not None
    assert ann.channel.notified[-1] == "channel_unavailable"
    other = desk(exchange, "+16465550124").answers()
    ann.transfers("+16465550124", after_s=5)
    await call.connected(other)
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, "failed"), ("+16465550124", "connected")]


async def test_a_switch_that_dies_while_the_caller_waits_has_who_was_wanted_rung_again(
    exchange: Exchange,
) -> None:
    phone = desk(exchange).then().answers(after_s=3)
    ann, call = await talks(exchange)
    ann.transfers(NUMBER).hangs_up(after_s=0.1)
    await exchange.asterisk.until(lambda: ann.causes[0] is not None)
    await exchange.passes(1)
    await dies_for(exchange, 3)
    await call.connected(phone)
    assert phone.times_rung == 2
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, "connected")]
    assert record.durations_ms.first == pytest.approx(5_100, abs=500)
    assert record.durations_ms.connected is not None and record.durations_ms.connected > 27_000


async def test_a_switch_that_dies_while_the_caller_talks_to_the_transferee_takes_them_up(
    exchange: Exchange,
) -> None:
    phone = desk(exchange).answers()
    ann, call = await talks(exchange, also={"trunks": {"main": {"concurrent": 1}}})
    ann.transfers(NUMBER, after_s=10)
    await call.connected(phone)
    await exchange.passes(10)
    await dies_for(exchange, 3)
    await exchange.passes(3)
    assert exchange.asterisk.partners(call.channel) == {phone.channel.id}
    assert exchange.switch.status()["capacity_in_use"] == {}
    assert exchange.switch.status()["on_trunks"] == {"main": 1}
    record = await call.hangs_up(after_s=20).over()
    assert came_of(record) == [(NUMBER, "connected")]
    assert record.durations_ms.first == pytest.approx(12_000, abs=500)
    assert record.durations_ms.connected == pytest.approx(48_000, abs=1_500)


async def test_a_switch_that_dies_as_the_agent_is_released_hangs_the_agent_up(exchange: Exchange) -> None:
    phone = desk(exchange).answers()
    ann, call = await talks(exchange)
    ann.transfers(NUMBER)
    await call.connected(phone)
    await exchange.passes(0.5)
    await dies_for(exchange, 3)
    await exchange.passes(2)
    assert ann.causes[0] is not None
    phone.hangs_up(after_s=20)
    record = await call.over()
    assert (record.end_source, came_of(record)) == ("agent", [(NUMBER, "connected")])


async def test_who_is_gone_while_no_switch_runs_ends_the_call_when_the_switch_was_last_seen(
    exchange: Exchange,
) -> None:
    phone = desk(exchange).answers()
    ann, call = await talks(exchange)
    ann.transfers(NUMBER)
    await call.connected(phone)
    await exchange.passes(10)
    exchange.dies()
    phone.hangs_up(after_s=1)
    await exchange.passes(5)
    await exchange.starts()
    record = await call.over()
    assert record.disposition == "connected"
    assert came_of(record) == [(NUMBER, "connected")]
    assert record.durations_ms.connected == pytest.approx(17_000, abs=1_500)
