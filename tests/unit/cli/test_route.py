"""`callrace route explain`: a call that is tried on paper."""

from __future__ import annotations

import json

from sqlalchemy import Engine

from ari_app.domain.document.reading import parse
from ari_app.store.market import marketplaces
from tests.unit.cli.conftest import MARKETPLACE, Cli


def test_more_keys_than_a_question_asks_for_are_wrong_usage(cli: Cli, applied: Engine) -> None:
    result = cli("route", "explain", "--did", "+18005550101", "--press", "12,10001")
    assert result.exit_code == 2
    assert 'Invalid value for --press: "12" is more than is asked for: it ends after 1 keys' in result.stderr


def test_a_route_is_explained_from_the_presses_to_the_waves(cli: Cli, applied: Engine) -> None:
    at = ("--at", "2026-11-23T10:00-05:00")
    told = cli(
        "route", "explain", "--did", "+18005550101", "--ani", "+13105550142", "--press", "1,10001", *at
    )
    assert told.exit_code == 0, told.output
    assert "Answers: service = repair, zip = 10001." in told.output
    assert "Wave 1, at once\n  - agent-" in told.output
    assert "Wave 2, after 12 s, or once nobody of the wave before is left\n  - overflow\n" in told.output


def test_a_route_names_who_is_left_out_and_why(cli: Cli, applied: Engine) -> None:
    words = ("--did", "+18005550101", "--press", "1,90210", "--at", "2026-11-23T10:00-05:00", "--json")
    decision = json.loads(cli("route", "explain", *words).output)
    assert [wave["destinations"] for wave in decision["waves"]] == [[], ["overflow"]]
    assert [excluded["destination"] for excluded in decision["excluded"]] == ["agent-1", "agent-2"]


def test_a_route_takes_a_zip_code_by_whatever_name_the_flow_gives_it(cli: Cli, engine: Engine) -> None:
    text = MARKETPLACE.replace("as: zip, check: us-zip", "as: postal, check: us-zip")
    marketplaces.apply(engine, parse(text, "test.yaml"), 1)
    words = ("--did", "+18005550101", "--ani", "+13105550142", "--press", "1,10001", "--json")
    place = json.loads(cli("route", "explain", *words).output)["place"]
    assert (place["zip"], place["from"]) == ("10001", "zip")


def test_a_route_stops_at_a_refusal_at_the_flows_end_and_at_an_unknown_number(
    cli: Cli, applied: Engine
) -> None:
    blocked = cli("route", "explain", "--did", "+18005550101", "--ani", "+19005550142").output
    assert "The call is refused (blocked): +19005550142 is blocked by +1900*." in blocked
    silent = cli("route", "explain", "--did", "+18005550101").output
    assert "The flow ends the call (no input); no phone is rung." in silent
    unknown = cli("route", "explain", "--did", "+18005550199").output
    assert "The number belongs to no campaign" in unknown


def test_a_route_is_explained_for_a_callers_attestation(cli: Cli, engine: Engine) -> None:
    text = f"{MARKETPLACE}screen: {{attestation: [A, B]}}\n"
    marketplaces.apply(engine, parse(text, "test.yaml"), 1)
    refused = cli("route", "explain", "--did", "+18005550101", "--attestation", "C").output
    assert "refused (blocked): the caller's attestation is C, not A or B, in every campaign." in refused
    assert "refused" not in cli("route", "explain", "--did", "+18005550101", "--attestation", "A").output


def test_a_time_that_is_none_is_wrong_usage(cli: Cli, applied: Engine) -> None:
    assert cli("route", "explain", "--did", "+18005550101", "--at", "noon").exit_code == 2
