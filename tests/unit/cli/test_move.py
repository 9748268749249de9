"""`callrace destinations move`: a destination becomes another advertiser's, and what was before stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from tests.samples import make_call, settlement
from tests.unit.cli.conftest import Cli, refusal
from tests.unit.cli.test_desk import done


@pytest.fixture
def market(cli: Cli, applied: Engine, sounds: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """MARKETPLACE is in force, with another advertiser, and a destination of acme's that no campaign routes to."""
    monkeypatch.setenv("CALLRACE_OPERATOR", "ada")
    for words in (
        "advertisers add bolt --name Bolt --timezone America/Chicago",
        "destinations add spare --advertiser acme --uri sip:spare@127.0.0.1 --anywhere",
    ):
        done(cli(*words.split()))
    return cli


def owner(engine: Engine, destination: str) -> str:
    loaded = marketplaces.load(engine)
    assert loaded is not None
    return loaded.marketplace.destinations[destination].advertiser


def test_the_destination_is_the_other_advertisers_and_what_changes_is_told(
    market: Cli, engine: Engine
) -> None:
    result = market("destinations", "move", "spare", "--advertiser", "bolt")
    assert done(result) == [
        "marketplace version 4 applied:",
        "  destination spare changed",
        "    advertiser: acme -> bolt",
        "no switch is running; `callrace lab up` starts one",
    ]
    assert result.stderr == ""
    assert owner(engine, "spare") == "bolt"


def test_the_same_as_json(market: Cli) -> None:
    told = json.loads(market("destinations", "move", "spare", "--advertiser", "bolt", "--json").stdout)
    assert (told["version"], [change["name"] for change in told["changes"]]) == (4, ["spare"])


def test_it_is_kept_who_moved_it_from_whom_to_whom(market: Cli) -> None:
    done(market("destinations", "move", "spare", "--advertiser", "bolt"))
    kept = json.loads(market("audit", "list", "--subject", "spare", "--json").stdout)
    assert [(one["actor"], one["use_case"], one["facts"]) for one in kept] == [
        ("ada", "destinations.move", {"to": "bolt", "from": "acme", "version": 4}),
        ("ada", "destinations.add", {"version": 3}),
    ]


def test_a_destination_that_a_campaign_routes_to_stays_and_all_of_those_are_named(
    market: Cli, engine: Engine
) -> None:
    create = (
        "campaigns create night --advertiser acme --price 1 --payout 1 --wave spare,agent-1 --wave agent-1"
    )
    done(market(*create.split()))
    assert refusal(market("destinations", "move", "agent-1", "--advertiser", "bolt")) == (
        "callrace: destination agent-1 is in the waves of acme's campaigns: night, plumbing; take it out of those by "
        "`callrace campaigns set ID route.waves=...`"
    )
    assert owner(engine, "agent-1") == "acme"


def test_once_no_campaign_routes_to_it_it_can_go_to_those_of_the_other_advertiser(
    market: Cli, engine: Engine
) -> None:
    done(market("campaigns", "set", "plumbing", "route.waves=[{destinations: [agent-2]}]"))
    done(market("destinations", "move", "agent-1", "--advertiser", "bolt"))
    done(
        market(
            *[
                "campaigns",
                "create",
                "night",
                "--advertiser",
                "bolt",
                "--price",
                "1",
                "--payout",
                "1",
                "--wave",
                "agent-1",
            ]
        )
    )
    done(market("campaigns", "start", "night"))
    assert owner(engine, "agent-1") == "bolt"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("spare --advertiser nobody", "there is no advertiser nobody; see `callrace advertisers list`"),
        ("nowhere --advertiser bolt", "there is no destination nowhere; see `callrace destinations list`"),
        ("spare --advertiser acme", "destination spare is acme's already"),
    ],
)
def test_what_cannot_be_moved_is_refused_and_leaves_no_version(
    market: Cli, engine: Engine, words: str, said: str
) -> None:
    assert refusal(market("destinations", "move", *words.split())) == f"callrace: {said}"
    loaded = marketplaces.load(engine)
    assert loaded is not None
    assert loaded.version == 3
    assert len(json.loads(market("audit", "list", "--json").stdout)) == 2


def test_hours_in_the_advertisers_time_zone_are_in_the_new_ones_and_it_is_said(market: Cli) -> None:
    add = "destinations add desk --advertiser acme --extension desk --anywhere"
    done(market(*add.split(), "--open", "daily 08:00-20:00"))
    result = market("destinations", "move", "desk", "--advertiser", "bolt")
    assert done(result)[0] == "marketplace version 5 applied:"
    assert result.stderr == "its hours and caps are in America/Chicago now, no more in America/New_York\n"


def test_calls_recorded_before_keep_the_advertiser_that_they_had(market: Cli, engine: Engine) -> None:
    call = make_call(1, advertiser="acme", winner="spare")
    calls.save(engine, [settlement(call)])
    report = ["reports", "by", "advertiser", "--since", "2025-11-23", "--until", "2025-11-28", "--json"]
    before = done(market(*report))
    assert any('"acme"' in line for line in before)

    done(market("destinations", "move", "spare", "--advertiser", "bolt"))

    shown = json.loads(market("calls", "show", call.id, "--json").stdout)
    assert (shown["advertiser"], shown["winner"]) == ("acme", "spare")
    assert done(market(*report)) == before
