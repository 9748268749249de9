"""What reaches a carrier and an agent's phone of what operators ask to be said in a leg's INVITE."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from ari_app.domain.calls.timeline import EventName
from ari_app.lab.sipp import press, talk_ms, wait_ms
from ari_app.store.market import pauses
from tests.kit.interop import interop
from tests.live.exchange import DID, marketplace
from tests.live.sip import Party, party, sdp
from tests.live.test_callers import INTAKE

pytestmark = pytest.mark.live

ANI, OTHER = "+12125550142", "+16465550199"
PSTN = {"phone": "+12125550123", "trunk": "main"}


@asynccontextmanager
async def carrier(lab):
    """Whoever listens at the address of trunk `main`."""
    made = Party(lab.sip, "127.0.0.1")
    made.port = int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2])
    await made.open()
    try:
        yield made
    finally:
        made.close()


def by_trunk(trunk, **route):
    return marketplace({"pstn": PSTN}, accept="answer", **route) | {"trunks": {"main": trunk}}


def x_headers(invite):
    """Those that no standard has. The call's id is always among them: a leg that comes back is known by it."""
    found = [(name, value) for name, value in invite.headers if name.startswith("X-")]
    assert len(found) == len(dict(found)), found
    return dict(found)


async def refuses(trunk, *answers):
    """The carrier's next call gets these responses."""
    dialog = await trunk.called()
    for answer in answers:
        dialog.answer(dialog.invite, answer)


async def invited(lab, exchange, calling, document, ani=ANI):
    """The INVITE that the carrier gets of a call, and the call's record."""
    exchange.apply(document)
    async with carrier(lab) as trunk, calling(ani=ani):
        dialog = await trunk.called()
        dialog.answer(dialog.invite, "486 Busy Here")
        return dialog.invite, await exchange.record()


@interop(
    "A5",
    "A leg by a trunk with `caller_id` and `identity`",
    does="From, P-Asserted-Identity and Privacy show what the trunk says",
)
@pytest.mark.parametrize(
    ("trunk", "ani", "shown", "asserted", "privacy"),
    [
        ({}, ANI, f"<sip:{ANI}@", "", ""),
        ({"caller_id": "own"}, ANI, f"<sip:{DID}@", "", ""),
        ({"caller_id": OTHER, "identity": "pass"}, ANI, f"<sip:{OTHER}@", f"<tel:{ANI}>", ""),
        ({"identity": "own"}, None, "<sip:anonymous@anonymous.invalid>", f"<tel:{DID}>", "id"),
        ({"caller_id": "own", "identity": "own"}, None, f"<sip:{DID}@", f"<tel:{DID}>", ""),
    ],
)
async def test_a_trunk_shows_and_vouches_for_the_numbers_that_it_is_told_to(
    lab, exchange, calling, trunk, ani, shown, asserted, privacy
):
    sent, _ = await invited(lab, exchange, calling, by_trunk(trunk), ani)
    assert shown in sent["From"]
    assert (sent["P-Asserted-Identity"], sent["Privacy"]) == (asserted, privacy)
    assert len(sent.all("P-Asserted-Identity")) <= 1


@interop(
    "A5",
    "A leg to a phone, with `headers`, of a caller who forges them",
    does="it carries what the operator chose, escaped, and nothing of the caller's",
)
async def test_an_agent_is_told_what_the_operator_chose_and_nothing_of_what_a_caller_wrote(lab, exchange):
    async with party(lab.sip) as caller, party(lab.sip) as agent:
        document = marketplace({"agent": agent.uri}, headers=["call", "campaign", "source"], accept="answer")
        document["numbers"][DID]["source"] = 'b;a="n, <ner>: é'
        exchange.apply(document)
        line = caller.call(DID)
        line.us = f'"Ann%0d%0aX-Evil: yes\\"; ,<sip:evil@evil>" <sip:{ANI};x=y@127.0.0.1>'
        line.send("INVITE", "X-Callrace-Call: forged", "X-Evil: yes", body=sdp(caller.rtp_port))
        dialog = await agent.called()
        dialog.answer(dialog.invite, "486 Busy Here")
        record = await exchange.record()
        assert x_headers(dialog.invite) == {
            "X-Callrace-Call": record.id,
            "X-Callrace-Campaign": "plumbing",
            "X-Callrace-Source": "b%3Ba%3D%22n%2C%20%3Cner%3E%3A%20%C3%A9",
        }
        assert dialog.invite["From"].startswith(f"<sip:{ANI}@")


async def test_a_destination_of_its_own_mind_is_told_the_callers_answers(lab, exchange, calling):
    async with party(lab.sip) as agent:
        told = {"headers": ["zip", "answers"]}
        document = marketplace({"agent": agent.uri}, flow=INTAKE, destination=told, headers=["source"])
        exchange.apply(document)
        async with calling(plan=[press("1"), wait_ms(800), press("10001"), talk_ms(30_000)]):
            dialog = await agent.called()
            dialog.answer(dialog.invite, "486 Busy Here")
            record = await exchange.record()
        assert x_headers(dialog.invite) == {
            "X-Callrace-Call": record.id,
            "X-Callrace-Zip": "10001",
            "X-Callrace-Answers": "service=repair;zip=10001",
        }


# What a carrier answers


@interop(
    "A5",
    "A trunk that answers 403, 408, 503 or 603 before the phone rings",
    does="the leg has failed by the trunk, which is no answer of an agent's",
)
@pytest.mark.parametrize(
    ("answers", "outcome", "failure"),
    [
        (["403 Forbidden"], "failed", "trunk main answered 403"),
        (["603 Decline"], "failed", "trunk main answered 603"),
        (["503 Service Unavailable"], "failed", "trunk main answered 503"),
        (["408 Request Timeout"], "failed", "trunk main did not answer (408)"),
        (["180 Ringing", "503 Service Unavailable"], "failed", "trunk main answered 503"),
        (["180 Ringing", "603 Decline"], "declined", None),
        (["180 Ringing", "480 Temporarily Unavailable"], "no_answer", None),
        (["486 Busy Here"], "busy", None),
    ],
)
async def test_a_trunks_own_refusal_is_told_as_what_it_is(lab, exchange, calling, answers, outcome, failure):
    exchange.apply(by_trunk({}))
    async with carrier(lab) as trunk, calling():
        await refuses(trunk, *answers)
        record = await exchange.record()
    (leg,) = record.legs
    assert (leg.outcome, leg.failure) == (outcome, failure)


@interop("A5", "A trunk that refuses again and again", does="no agent is paused for it")
async def test_a_trunks_own_refusals_are_no_unanswered_calls_of_an_agents(lab, exchange, calling):
    twice = {"auto_pause": {"per_hour": 2, "per_day": 0}}
    again = {"screen": {"redial_within": "1ms"}}
    exchange.apply(marketplace({"pstn": PSTN}, accept="answer", destination=twice, campaign=again))
    async with carrier(lab) as trunk:
        for answer in ("403 Forbidden", "408 Request Timeout", "603 Decline", "503 Service Unavailable"):
            async with calling():
                await refuses(trunk, answer)
                assert [leg.outcome for leg in (await exchange.record()).legs] == ["failed"]
        for _ in range(2):
            assert not pauses.paused(exchange.engine)
            async with calling():
                await refuses(trunk, "180 Ringing", "480 Temporarily Unavailable")
                assert [leg.outcome for leg in (await exchange.record()).legs] == ["no_answer"]
        async with asyncio.timeout(5):
            while not pauses.paused(exchange.engine):
                await asyncio.sleep(0.02)  # it is written behind the call, and no event says so


# A second trunk


def by_either(**route):
    """A market whose destination has two trunks; legs by `backup` show a number of their own."""
    document = marketplace({"pstn": PSTN | {"or_trunk": "backup"}}, accept="answer", **route)
    return document | {"trunks": {"backup": {"caller_id": OTHER, "concurrent": 1}}}


@interop(
    "A5",
    "A trunk that answers 503, where there is a second one (`or_trunk`)",
    does="that one dials, once, and the call is connected",
)
async def test_where_a_trunk_fails_the_other_one_dials_and_the_call_is_connected(lab, exchange, calling):
    exchange.apply(by_either())
    async with carrier(lab) as trunk, calling(plan=[talk_ms(30_000)]) as who:
        await refuses(trunk, "503 Service Unavailable")
        second = await trunk.called()
        assert second.invite["From"].startswith(f"<sip:{OTHER}@")
        second.answer(second.invite, "180 Ringing")
        second.answer(second.invite, "200 OK", body=sdp(trunk.rtp_port))
        await exchange.connected()
        assert exchange.switch.status()["on_trunks"] == {"backup": 1}
        await who.hang_up()
        record = await exchange.record()
    (leg,) = record.legs
    assert (leg.outcome, leg.failure, record.winner) == ("won", None, "pstn")
    told = [event.detail for event in record.events if event.what == EventName.OTHER_TRUNK]
    assert told == ["pstn: backup, as trunk main answered 503"]


async def test_where_both_trunks_fail_it_ends_there(lab, exchange, calling):
    exchange.apply(by_either())
    async with carrier(lab) as trunk, calling():
        await refuses(trunk, "500 Internal Server Error")
        await refuses(trunk, "503 Service Unavailable")
        record = await exchange.record()
        assert trunk.invites.empty()
    assert [(leg.outcome, leg.failure) for leg in record.legs] == [("failed", "trunk backup answered 503")]


@pytest.mark.parametrize(
    "answers", [["180 Ringing", "503 Service Unavailable"], ["403 Forbidden"], ["486 Busy Here"]]
)
async def test_a_phone_that_rang_or_that_no_trunk_may_dial_is_not_dialled_again(
    lab, exchange, calling, answers
):
    exchange.apply(by_either())
    async with carrier(lab) as trunk, calling():
        await refuses(trunk, *answers)
        record = await exchange.record()
        assert trunk.invites.empty()
    assert len(record.legs) == 1


async def test_a_caller_who_leaves_while_the_other_trunk_dials_leaves_nothing(lab, exchange, calling):
    exchange.apply(by_either())
    async with carrier(lab) as trunk, calling(plan=[talk_ms(30_000)]) as who:
        await refuses(trunk, "503 Service Unavailable")
        second = await trunk.called()
        second.answer(second.invite, "180 Ringing")
        await who.hang_up()
        cancel = await second.request("CANCEL")
        second.answer(cancel, "200 OK")
        second.answer(second.invite, "487 Request Terminated")
        record = await exchange.record()
    assert [leg.outcome for leg in record.legs] == ["cancelled"]
