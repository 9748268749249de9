"""What the dialplan says of a call that it served by itself, and the record made of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ari_app.domain.calls.dialplan_call import Outcome, begin, fill_in, has_ended, heard, id_of, outcome_of
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.marketplace import Trunk

CALL = "0019b0a1c2d3e0123456789"
LINE = (
    f"1763992800000,1763992800.7,+18005550101,+12125550142,{CALL},agent-1&agent-2,ANSWER,"
    "agents/sip:agent-1@127.0.0.1:5071,95000,1763992900000"
)
ANSWERED = outcome_of(LINE.split(","))


def recorded(outcome: Outcome, winner: str | None = None) -> CallRecord:
    record = begin(outcome)
    fill_in(record, outcome, winner)
    return record


def changed(**fields: str) -> list[str]:
    names = ("began", "unique_id", "did", "ani", "call", "legs", "status", "peer", "talked", "ended")
    return [fields.get(name, value) for name, value in zip(names, LINE.split(","), strict=True)]


def test_a_line_tells_the_outcome() -> None:
    assert (
        Outcome(
            began_at=1763992800000,
            unique_id="1763992800.7",
            did="+18005550101",
            ani="+12125550142",
            call_id=CALL,
            rung=("agent-1", "agent-2"),
            dial_status="ANSWER",
            answered_by="agents/sip:agent-1@127.0.0.1:5071",
            talked_ms=95_000,
            ended_at=1763992900000,
        )
        == ANSWERED
    )


def test_what_is_not_known_is_empty() -> None:
    outcome = outcome_of(changed(ani="", call="", legs="", status="", peer="", talked=""))
    assert (outcome.ani, outcome.call_id, outcome.rung, outcome.talked_ms) == (None, None, (), 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("began", "yesterday"),
        ("unique_id", "../../etc/passwd"),
        ("did", "500&PJSIP/900"),
        ("ani", "1' OR '1'='1"),
        ("call", "${CALL}"),
        ("legs", "agent 1"),
        ("status", "answer"),
        ("talked", "-5"),
        ("talked", "100101"),
        ("ended", ""),
    ],
)
def test_a_field_that_makes_no_sense_refuses_the_line(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be|talked for longer"):
        outcome_of(changed(**{field: value}))


def test_a_talk_that_is_longer_than_its_call_by_a_rounding_is_as_long_as_the_call() -> None:
    assert outcome_of(changed(talked="100001")).talked_ms == 100_000


def test_a_line_tells_the_attestation_and_one_of_an_older_dialplan_has_none() -> None:
    assert begin(outcome_of([*LINE.split(","), "B"])).attestation == "B"
    assert begin(outcome_of(LINE.split(","))).attestation is None
    with pytest.raises(ValueError, match="the attestation cannot be 'D'"):
        outcome_of([*LINE.split(","), "D"])


INVITE = "request=(((8005550199&channel=PJSIP%2Facme-1&From=(((%3Csip%3A212-555-0142%40h%3E"
DIVERTED = "&X-Att=B&Diversion=(((%3Csip%3A%2B13105550142%40h%3E"


def test_the_numbers_of_a_line_with_an_invite_are_those_in_it_by_the_rules_of_its_trunk() -> None:
    fields = [*changed(did="", ani=""), "", INVITE + DIVERTED]
    told = outcome_of(fields)
    assert told.trunk == "acme"
    record = begin(heard(told, Trunk(attestation_from="X-Att")))
    assert (record.did, record.ani, record.attestation) == ("+18005550199", "+12125550142", "B")
    assert record.diversion == ["<sip:+13105550142@h>"]
    assert id_of(told) == record.id


def test_a_line_with_an_invite_that_names_no_telephone_number_is_a_call_all_the_same() -> None:
    told = heard(outcome_of([*changed(did="", ani=""), "", "request=acme"]), Trunk())
    assert (told.did, told.ani, told.trunk) == ("", None, None)
    with pytest.raises(ValueError, match="the INVITE cannot be"):
        outcome_of([*changed(did="", ani=""), "", "request=${SHELL}"])


@pytest.mark.parametrize("fields", [11, 12])
def test_a_line_of_a_beginning_has_not_ended(fields: int) -> None:
    line = changed(ended="")
    assert not has_ended([*line, *[""] * (fields - len(line))])


def test_half_a_line_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 12 fields, got 3"):
        outcome_of(LINE.split(",")[:3])


def test_the_phone_that_answered_has_won_and_the_others_have_lost() -> None:
    record = recorded(ANSWERED, winner="agent-1")
    assert (record.disposition, record.winner, record.durations_ms.connected) == (
        "connected",
        "agent-1",
        95_000,
    )
    assert [(leg.destination, leg.outcome) for leg in record.legs] == [
        ("agent-1", "won"),
        ("agent-2", "lost"),
    ]
    assert record.connected_at == record.legs[0].accepted_at == 1763992805000


@pytest.mark.parametrize(
    ("status", "disposition", "outcome", "end_source"),
    [
        ("BUSY", "no_answer", "busy", "system"),
        ("NOANSWER", "no_answer", "no_answer", "system"),
        ("CHANUNAVAIL", "no_answer", "failed", "system"),
        ("CANCEL", "abandoned_queue", "cancelled", "caller"),
    ],
)
def test_what_came_of_dial_is_what_came_of_the_call(
    status: str, disposition: str, outcome: str, end_source: str
) -> None:
    record = recorded(replace(ANSWERED, dial_status=status, talked_ms=0, answered_by=""))
    assert (record.disposition, record.end_source) == (disposition, end_source)
    assert {leg.outcome for leg in record.legs} == {outcome}
    assert record.connected_at is None


def test_an_answer_of_nobody_in_the_marketplace_is_no_connection_that_anybody_pays_for() -> None:
    record = recorded(replace(ANSWERED, rung=()), winner=None)
    assert (record.disposition, record.winner, record.connected_at) == ("failed", None, None)
    assert "last resort" in record.events[-1].detail


def test_where_nobody_was_there_to_be_asked_the_call_has_failed() -> None:
    nobody = replace(ANSWERED, call_id=None, rung=(), dial_status="", talked_ms=0)
    assert recorded(nobody).disposition == "failed"
    assert recorded(replace(nobody, call_id=CALL)).disposition == "no_route"


def test_a_call_is_the_same_call_however_often_it_is_told() -> None:
    untold = replace(ANSWERED, call_id=None)
    assert id_of(ANSWERED) == CALL
    assert id_of(untold) == id_of(replace(untold, ended_at=untold.ended_at + 1))
    assert id_of(untold) != id_of(replace(untold, unique_id="1763992800.8"))
    assert len(id_of(untold)) == len(CALL)
