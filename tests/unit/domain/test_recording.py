"""Who is told that a call may be recorded, and what the record says of it."""

from __future__ import annotations

import pytest

from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.basics.states import ALL_PARTY_CONSENT, STATE_NAMES
from ari_app.domain.calls import recording
from ari_app.domain.calls.geo import Place
from ari_app.domain.calls.record import TimelineEvent, Tracks, track_files
from ari_app.domain.calls.recording import why_announced
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.document.reading import parse
from ari_app.domain.ivr.prompts import prompts_of
from ari_app.domain.market.campaigns import Consent
from ari_app.views.record import record_json
from tests.samples import BEGAN, make_call
from tests.unit.cli.conftest import MARKETPLACE

PROMPT = "tts:This call may be recorded."
DAY_MS = 86_400_000


@pytest.mark.parametrize("state", sorted(ALL_PARTY_CONSENT))
def test_where_all_parties_must_consent_the_caller_is_told(state):
    assert why_announced(Consent(PROMPT), Place(state, from_="ani")) == f"{state} asks for it"


@pytest.mark.parametrize("state", ["NY", "NJ", "TX", "DC", "PR"])
def test_where_one_party_is_enough_the_caller_is_not_told(state):
    assert why_announced(Consent(PROMPT), Place(state, from_="zip")) is None


@pytest.mark.parametrize("place", [Place(), Place("NY", from_="did")])
def test_a_caller_who_may_be_anywhere_is_told(place):
    assert why_announced(Consent(PROMPT), place) == "where the caller is, is not known"


def test_a_campaign_may_name_its_own_states_or_tell_everybody():
    own = Consent(PROMPT, states=frozenset({"NY"}))
    assert why_announced(own, Place("NY", from_="ani")) == "NY asks for it"
    assert why_announced(own, Place("CA", from_="ani")) is None
    everybody = Consent(PROMPT, everywhere=True)
    assert why_announced(everybody, Place("NY", from_="ani")) == "every caller is told"


def test_every_state_that_asks_for_consent_is_a_state():
    assert STATE_NAMES.keys() > ALL_PARTY_CONSENT
    assert {"CA", "FL", "IL", "PA", "WA", "QC"} < ALL_PARTY_CONSENT


def with_recording(text):
    return MARKETPLACE.replace("    flow: intake\n", f"    flow: intake\n    recording: {text}\n", 1)


def test_without_being_asked_for_nothing_is_recorded():
    assert parse(MARKETPLACE, "test.yaml").campaigns["plumbing"].recording is None


def test_recordings_are_kept_for_ninety_days_and_all_party_states_are_told_unless_said_otherwise():
    marketplace = parse(with_recording('{consent: {prompt: "tts:Recorded."}}'), "test.yaml")
    rules = marketplace.campaigns["plumbing"].recording
    assert (rules.keep, rules.consent.states) == (90 * DAY_MS, ALL_PARTY_CONSENT)
    assert "tts:Recorded." in prompts_of(marketplace)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", "recording.consent: this field is required"),
        ("true", "recording: expected a mapping, got true"),
        ("{consent: {}}", "recording.consent.prompt: this field is required"),
        ("{consent: {prompt: ../x}}", "recording.consent.prompt: expected a prompt"),
        ("{consent: {prompt: sound:beep, states: [XX]}}", "states[0]: expected a state or province code"),
        ("{consent: {prompt: sound:beep}, keep: 0s}", "recording.keep: expected a duration of more than 0"),
        ("{consent: {prompt: sound:beep}, keep: 90}", "recording.keep: expected a duration with its unit"),
        ("{consent: {prompt: sound:beep}, kept: 9d}", "unknown field 'kept'; did you mean 'keep'?"),
        (
            "{consent: {prompt: sound:beep, states: [NY], everywhere: true}}",
            "recording.consent: expected only everywhere, got states as well",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(text, complaint):
    with pytest.raises(DocumentError) as refused:
        parse(with_recording(text), "test.yaml")
    assert len(refused.value.findings) == 1
    assert complaint in refused.value.findings[0]


def test_a_prompt_that_can_not_be_played_is_refused():
    with pytest.raises(DocumentError, match=r"consent\.prompt: no such file"):
        parse(
            with_recording("{consent: {prompt: file:gone.wav}}"),
            "test.yaml",
            prompts=lambda prompt: "no such file" if prompt == "file:gone.wav" else None,
        )


def test_files_are_named_by_the_call_alone():
    assert track_files("0a1b") == {"caller": "0a1b-caller.wav", "agent": "0a1b-agent.wav"}


def test_the_record_tells_the_files_and_until_when_they_are_kept():
    record = make_call(recording=Tracks(BEGAN, BEGAN + DAY_MS))
    told = record_json(record)["recording"]
    assert told["caller"] == f"{record.id}-caller.wav"
    assert told["agent"] == f"{record.id}-agent.wav"
    assert (told["started_at"], told["deleted_at"]) == ("2025-11-23T12:13:20.000Z", None)
    assert record_json(make_call())["recording"] is None


def test_a_deletion_is_written_down_once():
    record = make_call(recording=Tracks(BEGAN, BEGAN + DAY_MS))
    recording.delete(record, "asked for", BEGAN + 1)
    recording.delete(record, "asked for again", BEGAN + 2)
    assert record.recording.deleted_at == BEGAN + 1
    assert record.events[-1] == TimelineEvent(BEGAN + 1, "recording deleted", "asked for")


@pytest.mark.parametrize(
    ("told", "changes", "may_have"),
    [
        ([EventName.RECORDING_ANNOUNCED], {}, True),
        ([EventName.RECORDING_NOT_ANNOUNCED], {}, True),
        ([], {}, False),
        ([EventName.RECORDING_ANNOUNCED, EventName.NOT_RECORDED], {}, False),
        ([EventName.RECORDING_ANNOUNCED], {"connected_at": None}, False),
        ([EventName.RECORDING_ANNOUNCED], {"recording": Tracks(BEGAN, BEGAN + 1)}, False),
    ],
)
def test_a_switch_that_died_may_have_begun_to_record_whoever_consented_and_was_connected(
    told, changes, may_have
):
    record = make_call(events=[TimelineEvent(BEGAN, what) for what in told], **changes)
    assert recording.may_have_begun(record) is may_have
