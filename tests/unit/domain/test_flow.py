"""Flows: where a caller is led, and how a run is bounded."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from ari_app.domain.basics.clock import from_iso
from ari_app.domain.calls.geo import Geography
from ari_app.domain.ivr.digits import Digits, Invalid, NoInput
from ari_app.domain.ivr.flow import (
    MAX_STEPS,
    Caller,
    End,
    FlowRun,
    Gather,
    Play,
    Played,
    ToOffer,
    dry_run,
)
from ari_app.domain.market.flows import Flow

GEOGRAPHY = Geography(
    zips={"10001": ("NY", 40.7, -74.0, "America/New_York"), "90001": ("CA", 34.0, -118.2, None)},
    area_codes={"212": ("NY", "America/New_York")},
)
CALLER = Caller(
    GEOGRAPHY, "+18005550101", "+12125550123", from_iso("2026-11-23T12:00:00-05:00"), "America/New_York"
)

INTAKE = {
    "start": "service",
    "nodes": {
        "service": {
            "menu": {"prompt": "tts:Press 1 or 2."},
            "choices": {
                "1": {"set": {"service": "repair"}, "next": "zip"},
                "2": {"set": {"service": "install"}, "next": "zip"},
            },
            "tries": 2,
            "on_no_input": "silent",
            "on_invalid": "wrong",
            "invalid_prompt": "sound:pbx-invalid",
        },
        "zip": {
            "collect": {"prompt": "tts:Your ZIP code.", "digits": 5, "as": "where", "check": "us-zip"},
            "next": "offer",
        },
        "offer": {"offer": True},
        "silent": {"play": "sound:vm-goodbye", "hangup": True},
        "wrong": {"play": "sound:sorry", "next": "end"},
        "end": {"hangup": True},
    },
}


def flow_of(document: dict[str, Any]) -> Flow:
    return TypeAdapter(Flow).validate_python(document, context={"currency": "USD"})


def intake() -> FlowRun:
    return FlowRun(flow_of(INTAKE), CALLER)


def branching(when: dict[str, Any], caller: Caller = CALLER) -> ToOffer | End:
    nodes = {
        "ask": {
            "menu": {"prompt": "tts:Press 1 or 2."},
            "choices": {
                "1": {"set": {"service": "repair"}, "next": "zip"},
                "2": {"set": {"service": "install"}, "next": "zip"},
            },
        },
        "zip": {
            "collect": {"prompt": "tts:ZIP", "digits": 5, "as": "zip", "check": "us-zip"},
            "next": "split",
        },
        "split": {"branch": [{"when": when, "next": "offer"}], "otherwise": "end"},
        "offer": {"offer": True},
        "end": {"hangup": True},
    }
    return dry_run(flow_of({"start": "ask", "nodes": nodes}), caller, ["1", "10001"]).end


def test_a_caller_who_answers_everything_is_offered() -> None:
    run = intake()
    first = run.start()
    assert isinstance(first, Gather)
    assert first.prompt == "tts:Press 1 or 2."
    second = run.handle(Digits("1"))
    assert isinstance(second, Gather)
    assert (second.spec.min_digits, second.spec.max_digits) == (5, 5)
    assert run.handle(Digits("10001")) == ToOffer()
    assert run.answers == {"service": "repair", "where": "10001"}
    assert run.path == ["service", "zip", "offer"]


def test_who_comes_back_is_asked_where_they_were_and_what_they_told_stands() -> None:
    before, run = intake(), intake()
    before.start()
    second = before.handle(Digits("1"))
    assert run.resume("zip", before.answers, None) == second
    assert run.handle(Digits("10001")) == ToOffer()
    assert run.answers == {"service": "repair", "where": "10001"}
    assert intake().resume("offer", run.answers, run.entered_zip) == ToOffer()


def test_the_zip_told_before_is_where_the_caller_is() -> None:
    run = intake()
    run.resume("offer", {"where": "90001"}, "90001")
    assert (run.place.state, run.place.from_) == ("CA", "zip")


def test_a_checked_zip_tells_the_place_whatever_the_answer_is_called() -> None:
    run = intake()
    run.start()
    run.handle(Digits("1"))
    run.handle(Digits("90001"))
    assert run.entered_zip == "90001"
    assert (run.place.state, run.place.from_) == ("CA", "zip")


def test_a_zip_that_does_not_exist_is_a_wrong_input() -> None:
    run = intake()
    run.start()
    again = run.handle(Digits("1"))
    assert run.handle(Digits("00000")) == again
    assert run.entered_zip is None
    assert "where" not in run.answers


def test_no_input_asks_again_and_then_goes_its_own_way() -> None:
    run = intake()
    first = run.start()
    assert run.handle(NoInput()) == first
    assert run.handle(NoInput()) == End("sound:vm-goodbye", "hangup")
    assert run.path == ["service", "silent"]


def test_a_wrong_input_says_so_then_asks_again_and_then_goes_its_own_way() -> None:
    run = intake()
    first = run.start()
    assert run.handle(Invalid("7")) == Play("sound:pbx-invalid")
    assert run.handle(Played()) == first
    assert run.handle(Invalid("7")) == Play("sound:sorry")
    assert run.handle(Played()) == End(None, "hangup")


def test_the_last_try_decides_which_way_it_goes() -> None:
    run = intake()
    run.start()
    run.handle(NoInput())
    assert run.handle(Invalid("7")) == Play("sound:sorry")


def test_without_a_branch_for_it_no_input_ends_the_call() -> None:
    run = intake()
    run.start()
    run.handle(Digits("1"))
    run.handle(NoInput())
    run.handle(NoInput())
    assert run.handle(NoInput()) == End(None, "no_input")


def test_tries_are_counted_anew_at_every_node() -> None:
    run = intake()
    run.start()
    run.handle(NoInput())
    asked = run.handle(Digits("1"))
    assert run.handle(NoInput()) == asked
    assert run.handle(NoInput()) == asked


@pytest.mark.parametrize(
    ("when", "goes"),
    [
        ({"answer_in": {"service": ["repair"]}}, True),
        ({"answer_in": {"service": ["install"]}}, False),
        ({"caller_in": {"states": ["NY"]}}, True),
        ({"caller_in": {"states": ["NJ"]}}, False),
        ({"caller_in": {"area_codes": ["212"]}}, True),
        ({"within_hours": {"open": ["mon 08:00-20:00"]}}, True),
        ({"within_hours": {"open": ["mon 08:00-10:00"]}}, False),
        ({"within_hours": {"open": ["mon 17:00-18:00"], "timezone": "UTC"}}, True),
    ],
)
def test_a_branch_goes_where_its_clause_holds(when: dict[str, Any], goes: bool) -> None:
    assert isinstance(branching(when), ToOffer) is goes


def test_a_caller_who_loops_is_hung_up_on_in_the_end() -> None:
    nodes = {
        "menu": {
            "menu": {"prompt": "tts:Again?"},
            "choices": {"1": {"next": "menu"}, "2": {"next": "offer"}},
        },
        "offer": {"offer": True},
    }
    run = FlowRun(flow_of({"start": "menu", "nodes": nodes}), CALLER)
    run.start()
    steps = [run.handle(Digits("1")) for _ in range(MAX_STEPS + 1)]
    assert steps[-1] == End(None, "too_many_steps")
    assert all(isinstance(step, Gather) for step in steps[:-1])


@pytest.mark.parametrize("outcome", [Digits("1"), NoInput(), Invalid("1")])
def test_an_outcome_that_is_not_of_the_step_is_an_error(outcome: Digits | NoInput | Invalid) -> None:
    nodes = {"play": {"play": "sound:hello", "next": "offer"}, "offer": {"offer": True}}
    run = FlowRun(flow_of({"start": "play", "nodes": nodes}), CALLER)
    run.start()
    with pytest.raises(ValueError, match="nothing"):
        run.handle(outcome)


def test_played_is_no_outcome_of_a_question() -> None:
    run = intake()
    run.start()
    with pytest.raises(ValueError, match="plays nothing"):
        run.handle(Played())


def test_a_menu_with_a_hash_choice_takes_it_as_a_key() -> None:
    nodes = {
        "menu": {"menu": {"prompt": "tts:Press hash."}, "choices": {"#": {"next": "offer"}}},
        "offer": {"offer": True},
    }
    assert dry_run(flow_of({"start": "menu", "nodes": nodes}), CALLER, ["#"]).end == ToOffer()


def test_a_dry_run_presses_one_item_a_question() -> None:
    outcome = dry_run(flow_of(INTAKE), CALLER, ["2", "10001", "9"])
    assert outcome.end == ToOffer()
    assert outcome.answers == {"service": "install", "where": "10001"}
    assert outcome.entered_zip == "10001"
    assert outcome.unused == ["9"]


def test_a_dry_run_without_presses_is_a_silent_caller() -> None:
    outcome = dry_run(flow_of(INTAKE), CALLER, [])
    assert outcome.end == End("sound:vm-goodbye", "hangup")
    assert outcome.path == ["service", "silent"]


def test_a_dry_run_refuses_more_keys_than_are_asked_for() -> None:
    with pytest.raises(ValueError, match='"123" is more than is asked for'):
        dry_run(flow_of(INTAKE), CALLER, ["123"])


@pytest.mark.parametrize(
    ("node", "heard"),
    [("service", "sound:vm-goodbye"), ("zip", "sound:vm-goodbye"), ("wrong", "sound:vm-goodbye")],
)
def test_who_has_taken_too_long_hears_the_goodbye_of_where_they_are_or_the_flows_first(node, heard):
    run = FlowRun(flow_of(INTAKE), CALLER)
    run.resume(node, {}, None)
    assert run.time_up() == End(heard, "longest_time_reached")


def test_a_flow_without_a_goodbye_just_ends_when_it_has_lasted_its_longest():
    nodes = {"hello": {"play": "sound:hello", "next": "offer"}, "offer": {"offer": True}}
    run = FlowRun(flow_of({"start": "hello", "nodes": nodes}), CALLER)
    run.start()
    assert run.time_up() == End(None, "longest_time_reached")


def test_a_flow_lasts_ten_minutes_where_it_does_not_say_how_long():
    assert flow_of(INTAKE).longest == 600_000
    assert flow_of(INTAKE | {"longest": "90s"}).longest == 90_000
