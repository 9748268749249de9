"""`callrace people` and `callrace visibility`: who can sign in, and what parties see."""

from __future__ import annotations

import json
import re

from sqlalchemy import Engine

from tests.unit.cli.conftest import Cli, refusal


def test_an_owner_is_invited_and_the_link_is_shown_once(cli: Cli, applied: Engine) -> None:
    told = cli("people", "invite", "Ada@Example.com", "--party", "operator", "--role", "owner")
    assert re.fullmatch(r"/join#[\w-]{43}\nfor ada@example.com; good once, until [\d :-]+ UTC\n", told.stdout)
    assert cli("people", "list").stdout == "nobody\n"
    found = json.loads(cli("audit", "list", "--json").stdout)
    assert [(one["use_case"], one["subject"]) for one in found] == [("people.invite", "ada@example.com")]
    token = told.stdout.partition("#")[2].partition("\n")[0]
    assert token not in str(found)


def test_an_invitation_is_taken_back_once(cli: Cli, applied: Engine) -> None:
    cli("people", "invite", "joe@acme.example", "--party", "advertiser:acme", "--role", "manager")
    words = ("people", "remove", "joe@acme.example", "--party", "advertiser:acme")
    assert cli(*words).stdout == "joe@acme.example is not in advertiser:acme any more\n"
    assert refusal(cli(*words)) == (
        "callrace: joe@acme.example is not in advertiser:acme; see `callrace people list`"
    )


def test_what_makes_no_sense_is_refused(cli: Cli, applied: Engine) -> None:
    invite = ("people", "invite")
    result = cli(*invite, "joe", "--party", "advertiser:acme", "--role", "manager")
    assert (result.exit_code, "expected a mail address" in result.stderr) == (2, True)
    result = cli(*invite, "joe@acme.example", "--party", "acme", "--role", "manager")
    assert (result.exit_code, "is no party" in result.stderr) == (2, True)
    result = cli(*invite, "joe@acme.example", "--party", "advertiser:acme", "--role", "owner")
    assert (result.exit_code, "expected manager or read_only" in result.stderr) == (2, True)
    assert "see `callrace people list`" in refusal(cli("people", "sign-in-link", "joe@acme.example"))


def test_a_topic_is_opened_for_one_party_and_closed_again(cli: Cli, applied: Engine) -> None:
    assert cli("visibility", "set", "publisher:homefix", "caller_numbers", "whole").stdout == (
        "publisher:homefix sees caller_numbers: whole\n"
    )
    rows = json.loads(cli("visibility", "list", "--party", "publisher:homefix", "--json").stdout)
    sights = {row["topic"]: (row["sight"], row["set_by"]) for row in rows}
    assert sights["caller_numbers"] == ("whole", "operator")
    assert sights["price"] == ("hidden", "table")
    cli("visibility", "set", "publisher:homefix", "caller_numbers", "default")
    assert "operator" not in cli("visibility", "list").stdout


def test_no_topic_is_seen_in_a_way_that_is_not_there(cli: Cli, applied: Engine) -> None:
    result = cli("visibility", "set", "publisher", "price", "masked")
    assert (result.exit_code, "there is no mask for it" in result.stderr) == (2, True)
    result = cli("visibility", "set", "operator", "price", "hidden")
    assert (result.exit_code, "the operator sees everything" in result.stderr) == (2, True)
