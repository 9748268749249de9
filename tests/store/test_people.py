"""People, links, sessions and the brake in the database, whoever else is at work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import pytest
from sqlalchemy import Engine, func, select

from ari_app.domain.basics.audit import Entry
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading, writing
from ari_app.store.db.tables import failed_sign_ins, recovery_codes
from ari_app.store.people import brake, links, people, sessions, sights
from ari_app.store.people.links import Link
from ari_app.store.people.people import PersonRow
from ari_app.store.people.sessions import Session

T = TypeVar("T")
NOW = 1_763_900_000_000
DONE = Entry(NOW, "ada", "people.test", "joe")
LINK = Link("hash", "invitation", "joe@acme.example", "advertiser:acme", "manager", NOW, "ada", NOW + 1000)


def joined(engine: Engine, email: str = "joe@acme.example", *roles: tuple[str, str]) -> PersonRow:
    """A person with these roles."""
    with writing(engine) as connection:
        for party, role in roles or (("advertiser:acme", "manager"),):
            found = people.join(connection, email, "Joe", party, role, NOW)
    return found


def at_once(times: int, act: Callable[[int], T]) -> list[T]:
    """The same, done by so many at once."""
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(act, range(times)))


def session(row: PersonRow, token: str = "token", **changes: object) -> Session:
    made = Session(token, row.id, "advertiser:acme", False, NOW, NOW, NOW + 10_000, "192.0.2.7", "a browser")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_person_is_found_by_address_and_by_id_with_all_roles(engine: Engine) -> None:
    row = joined(engine, "joe@acme.example", ("advertiser:acme", "manager"), ("publisher:x", "read_only"))
    assert row.memberships == {"advertiser:acme": "manager", "publisher:x": "read_only"}
    assert people.by_email(engine, "joe@acme.example") == people.by_id(engine, row.id) == row
    assert people.by_email(engine, "nobody") is people.by_id(engine, 99) is None
    other = joined(engine, "ann@acme.example")
    assert people.all_of(engine) == [other, row]
    assert people.all_of(engine, "publisher:x") == [row]


def test_who_leaves_the_last_party_is_removed_with_all_that_proves_them(engine: Engine) -> None:
    row = joined(engine, "joe@acme.example", ("advertiser:acme", "manager"), ("publisher:x", "read_only"))
    people.change(engine, row.id, DONE, recovery=["code"], password_hash="hash", totp_secret="secret")
    sessions.add(engine, session(row))
    assert people.leave(engine, row.id, "advertiser:acme", None, DONE)
    assert sessions.of_person(engine, row.id, NOW) == []
    assert (found := people.by_id(engine, row.id)) is not None and found.password_hash == "hash"
    assert people.leave(engine, row.id, "publisher:x", None, replace(DONE, at=NOW + 5))
    gone = people.by_id(engine, row.id)
    assert gone == PersonRow(row.id, row.email, "Joe", NOW, NOW + 5)
    with reading(engine) as connection:
        assert connection.execute(select(recovery_codes)).all() == []
    assert joined(engine).id == row.id


def test_of_two_owners_who_remove_each_other_at_once_one_stays(engine: Engine) -> None:
    owners = [joined(engine, f"{name}@x.example", ("operator", "owner")) for name in ("ada", "bob")]
    done = at_once(2, lambda n: people.leave(engine, owners[n].id, "operator", "owner", DONE))
    assert sorted(done) == [False, True]
    assert len(people.all_of(engine, "operator")) == 1


def test_a_link_is_used_once_by_however_many_at_once(engine: Engine) -> None:
    links.add(engine, LINK, DONE)

    def use(_: int) -> bool:
        with writing(engine) as connection:
            return links.use(connection, "hash", NOW)

    assert sorted(at_once(4, use)) == [False, False, False, True]
    assert links.get(engine, "hash") == replace(LINK, used_at=NOW)


def test_a_newer_link_takes_the_place_of_an_unused_one_of_the_same_kind(engine: Engine) -> None:
    sign_in = replace(LINK, token_hash="in", kind="sign_in", party=None, role=None)
    elsewhere = replace(LINK, token_hash="other", party="publisher:x")
    for link in (LINK, sign_in, elsewhere, replace(LINK, token_hash="newer", created_at=NOW + 1)):
        links.add(engine, link, DONE)
    assert links.get(engine, "hash") is None
    assert [link.token_hash for link in links.open_of(engine, None, NOW)] == ["newer", "other"]
    assert [link.token_hash for link in links.open_of(engine, "publisher:x", NOW)] == ["other"]
    assert links.open_of(engine, None, NOW + 1000) == []
    links.add(engine, replace(sign_in, token_hash="again"), DONE)
    assert links.get(engine, "in") is None
    links.add(engine, replace(LINK, token_hash="late", created_at=NOW + 2000 + links.KEPT_MS), DONE)
    assert links.get(engine, "other") is None, "links that are long over are deleted"


def test_a_step_and_a_recovery_code_are_used_once_by_however_many_at_once(engine: Engine) -> None:
    row = joined(engine)
    people.change(engine, row.id, DONE, recovery=["one", "two"], totp_secret="s", totp_step=5)
    assert [people.use_step(engine, row.id, step) for step in (4, 5, 6, 6, 5)] == [
        False,
        False,
        True,
        False,
        False,
    ]
    assert sorted(at_once(4, lambda _: people.use_step(engine, row.id, 7))) == [False] * 3 + [True]
    used = at_once(4, lambda _: people.use_recovery(engine, row.id, "one", DONE))
    assert sorted(used, key=str) == [1, None, None, None]
    assert people.use_recovery(engine, row.id, "three", DONE) is None


def test_a_session_is_found_until_it_is_over_or_was_not_used_for_too_long(engine: Engine) -> None:
    row = joined(engine)
    sessions.add(engine, session(row), DONE)
    found = sessions.find(engine, "token", NOW + 999, 1000)
    assert found is not None
    assert (found.email, found.party, found.roles) == (
        row.email,
        "advertiser:acme",
        (("advertiser:acme", "manager"),),
    )
    assert sessions.find(engine, "token", NOW + 1000, 1000) is None
    sessions.touch(engine, found.id, NOW + 9000)
    assert sessions.find(engine, "token", NOW + 9999, 1000) is not None
    assert sessions.find(engine, "token", NOW + 10_000, 5000) is None
    assert sessions.find(engine, "none", NOW, 1000) is None
    assert [entry.use_case for entry in auditlog.newest(engine, 5)] == ["people.test"]


def test_a_session_is_replaced_once(engine: Engine) -> None:
    row = joined(engine)
    sessions.add(engine, session(row, awaits_code=True))
    awaits = sessions.find(engine, "token", NOW, 1000)
    assert awaits is not None and awaits.awaits_code
    done = at_once(3, lambda n: sessions.replace_by(engine, awaits.id, session(row, f"new-{n}"), DONE))
    assert sorted(done) == [False, False, True]
    assert len(sessions.of_person(engine, row.id, NOW)) == 1


def test_sessions_are_bounded_and_those_that_are_over_go(engine: Engine) -> None:
    row = joined(engine)
    for n in range(sessions.MOST_OF_ONE + 10):
        sessions.add(engine, session(row, f"t{n}", created_at=NOW + n))
    assert len(sessions.of_person(engine, row.id, NOW)) == sessions.MOST_OF_ONE
    late = NOW + 20_000
    sessions.add(engine, session(row, "late", created_at=late, expires_at=late + 1))
    assert [one.created_at for one in sessions.of_person(engine, row.id, NOW)] == [late]


def test_all_sessions_of_one_person_end_and_no_others(engine: Engine) -> None:
    joe, ann = joined(engine), joined(engine, "ann@acme.example")
    for row in (joe, ann):
        sessions.add(engine, session(row, f"{row.email}"))
    [anns] = sessions.of_person(engine, ann.id, NOW)
    assert sessions.end(engine, joe.id, anns.id, DONE) == 0
    assert sessions.end(engine, joe.id, None, DONE) == 1
    assert sessions.of_person(engine, ann.id, NOW) == [anns]
    assert len(auditlog.newest(engine, 5)) == 1


# The brake

WEIGHTS: dict[str, int] = {}


def tried(engine: Engine, now: int = NOW, *keys: str) -> int:
    return brake.begin(engine, keys or ("account:a",), now, WEIGHTS)


def test_so_many_at_once_are_counted_one_by_one(engine: Engine) -> None:
    waits = at_once(12, lambda _: tried(engine))
    assert sorted(wait > 0 for wait in waits) == [False] * brake.FREE + [True] * (12 - brake.FREE)


@pytest.mark.parametrize(
    ("failures", "wait"), [(0, 0), (4, 0), (5, 1000), (6, 2000), (9, 16_000), (15, 900_000), (10**9, 900_000)]
)
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(failures: int, wait: int) -> None:
    assert brake.wait_ms(failures) == wait


def test_who_waited_may_try_and_a_success_forgets_the_account_alone(engine: Engine) -> None:
    for _ in range(brake.FREE):
        assert tried(engine, NOW, "account:a", "address:b") == 0
    assert tried(engine) == 1000
    assert tried(engine, NOW + 400) == 600
    assert tried(engine, NOW + 1000) == 0
    brake.succeeded(engine, "account:a", "address:c")
    assert tried(engine, NOW + 1000) == 0
    assert tried(engine, NOW, "address:b") == 1000


def test_failures_are_forgotten_after_a_day_and_the_table_is_bounded(engine: Engine) -> None:
    for _ in range(brake.FREE):
        tried(engine)
    assert tried(engine, NOW + brake.FORGOTTEN_MS + 1, "account:b") == 0
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(failed_sign_ins)).scalar_one() == 1
    assert len({brake.key("password", f"guess {n}") for n in range(100)}) > 90
    assert len(brake.key("password", "x" * 10_000)) == len("password:") + 5


# What parties see


def test_an_exception_is_set_changed_and_taken_back(engine: Engine) -> None:
    sights.set_(engine, "publisher:x", "price", "whole", DONE)
    sights.set_(engine, "publisher:x", "price", "hidden", DONE)
    assert sights.exceptions(engine) == {("publisher:x", "price"): "hidden"}
    sights.set_(engine, "publisher:x", "price", None, DONE)
    assert sights.exceptions(engine) == {}
    assert len(auditlog.newest(engine, 5)) == 3


def test_the_key_of_codes_is_made_once_by_however_many_ask_at_once(engine: Engine) -> None:
    keys = set(at_once(4, lambda _: sights.code_key(engine)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
