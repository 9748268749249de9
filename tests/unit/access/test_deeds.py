"""Who may do what: each use case has a row, and no row is without one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import ari_app.desk
from ari_app.access.deeds import DEEDS, SCOPES, is_reading, may, may_change_people
from ari_app.access.parties import OPERATOR, ROLES, Party, Viewer, party_of
from ari_app.desk.allowed import require, require_people_of
from ari_app.desk.refused import Refused

OTHERS = {
    "allowed": "asks this table",
    "agents.get": "a step of other use cases",
    "calls.charged": "a step of other use cases",
    "calls.record_of": "a step of other use cases",
    "calls.with_money": "a step of other use cases",
    "changing": "a step of other use cases",
    "database": "before there are any people",
    "documents.amend": "a step of other use cases",
    "documents.done": "a step of other use cases",
    "keys.viewer_of": "each program's own",
    "marketplaces.put": "a step of other use cases",
    "marketplaces.trunks": "a step of other use cases",
    "once": "a step of other use cases",
    "parties": "a step of other use cases",
    "passkeys": "each person's own",
    "people.accept": "by an invitation",
    "people.invitation": "by an invitation",
    "proofs": "each person's own",
    "reports.count_day": "work that Callrace does by itself",
    "reports.days_to_count": "work that Callrace does by itself",
    "signin": "each person's own",
    "takeover": "a step of other use cases",
    "theirs": "asks this table",
    "visibility.lens_of": "asks these tables",
}
"""What is no use case that a role is needed for, and why: a module, or one function."""
ADVERTISER, PUBLISHER = Party("advertiser", "acme"), Party("publisher", "homefix")


def use_cases() -> Iterator[str]:
    """Every public function of the desk that is given an exchange or its settings."""
    for module in pkgutil.iter_modules(ari_app.desk.__path__):
        found = importlib.import_module(f"ari_app.desk.{module.name}")
        for name, function in inspect.getmembers(found, inspect.isfunction):
            first = next(iter(inspect.signature(function).parameters), "")
            if function.__module__ == found.__name__ and first in ("site", "settings") and name[0] != "_":
                yield f"{module.name}.{name}"


def somebody(party: Party, role: str, **more: object) -> Viewer:
    """Somebody of a party, who has just proved who they are."""
    return Viewer("joe@acme.example", party, role, **({"confirmed_at": 1000} | more))  # type: ignore[arg-type]


EVERYBODY = [
    somebody(OPERATOR if kind == "operator" else Party(kind, "acme"), role)
    for kind in ROLES
    for role in ROLES[kind]
]


def test_each_use_case_has_a_row_and_each_row_a_use_case() -> None:
    found = set(use_cases())
    excused = {name for name in found if {name, name.partition(".")[0]} & set(OTHERS)}
    assert len(found) > 80
    assert found - excused - set(DEEDS) == set()
    assert set(DEEDS) - found == set()


@pytest.mark.parametrize("what", DEEDS)
def test_only_who_may_change_things_changes_any(what: str) -> None:
    for viewer in EVERYBODY:
        if viewer.role == "read_only" and not is_reading(what):
            assert not may(viewer, what)
        if viewer.role == "read_only" and may(viewer, what):
            assert may(somebody(viewer.party, "manager"), what)


@pytest.mark.parametrize("what", [what for what in DEEDS if not is_reading(what)])
def test_what_changes_anything_is_told_who_does_it(what: str) -> None:
    module, name = what.split(".")
    function = getattr(importlib.import_module(f"ari_app.desk.{module}"), name)
    is_told = {"actor", "viewer"} & set(inspect.signature(function).parameters)
    assert is_told or what == "flows.check"  # which only looks at a text


def test_an_owner_may_everything() -> None:
    assert [what for what in DEEDS if not may(somebody(OPERATOR, "owner"), what)] == []


@pytest.mark.parametrize("kind", ["advertiser", "publisher", "agent"])
def test_no_party_but_the_operator_moves_money_or_gives_numbers_away(kind: str) -> None:
    for role in ROLES[kind]:  # type: ignore[index]
        viewer = somebody(Party(kind, "acme"), role)  # type: ignore[arg-type]
        for what in ("ledger.deposit", "ledger.adjust", "payouts.run", "disputes.accept", "numbers.assign"):
            assert not may(viewer, what)
        for what in ("audit.listed", "marketplaces.apply", "documents.exported", "visibility.set_"):
            assert not may(viewer, what)


def test_who_looks_as_a_party_may_look_and_nothing_more() -> None:
    looking = somebody(ADVERTISER, "manager", seen_by="ada@example.com")
    assert may(looking, "calls.latest")
    assert [what for what in DEEDS if may(looking, what) and not is_reading(what)] == []


def test_a_key_may_what_its_role_may_within_its_scopes() -> None:
    key = somebody(ADVERTISER, "manager", scopes=frozenset({"calls:read", "ledger:write"}))
    assert may(key, "calls.latest")
    assert not may(key, "disputes.open_")
    assert not may(key, "ledger.deposit")
    assert {"calls:read", "disputes:write"} <= SCOPES


def test_money_asks_for_a_proof_of_a_few_minutes_ago() -> None:
    require(somebody(OPERATOR, "finance"), "ledger.deposit", 1000 + 599_999)
    with pytest.raises(Refused, match="prove first that it is you"):
        require(somebody(OPERATOR, "finance"), "ledger.deposit", 1000 + 600_000)
    with pytest.raises(Refused, match=r"manager of advertiser:acme may not do this \(ledger.deposit\)"):
        require(somebody(ADVERTISER, "manager"), "ledger.deposit", 1000)


def test_each_party_looks_after_its_own_people_and_an_owner_after_the_operators() -> None:
    assert may_change_people(somebody(ADVERTISER, "manager"), ADVERTISER)
    assert not may_change_people(somebody(ADVERTISER, "manager"), Party("advertiser", "other"))
    assert may_change_people(somebody(OPERATOR, "manager"), PUBLISHER)
    assert not may_change_people(somebody(OPERATOR, "manager"), OPERATOR)
    with pytest.raises(Refused, match="may not do this"):
        require_people_of(somebody(PUBLISHER, "manager"), OPERATOR)


@pytest.mark.parametrize("text", ["", "operator:x", "advertiser", "advertiser:", "buyer:acme"])
def test_what_is_no_party_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no party"):
        party_of(text)


@pytest.mark.parametrize("party", [OPERATOR, ADVERTISER, PUBLISHER, Party("agent", "agent-1")])
def test_a_party_is_read_as_it_is_written(party: Party) -> None:
    assert party_of(str(party)) == party
