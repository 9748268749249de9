"""A program's key: told once, kept as a hash, good for its party, its scopes and its time."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from ari_app.access.actor import Actor
from ari_app.access.deeds import may
from ari_app.desk import keys
from ari_app.desk.refused import Refused
from ari_app.desk.site import Site
from ari_app.store.db import auditlog
from ari_app.store.db.engine import reading
from tests.unit.desk.conftest import at

DAY_MS = 86_400_000


def make(site: Site, ada: Actor, party: str = "advertiser:acme", *scopes: str) -> str:
    scopes = scopes or ("calls:read",)
    return keys.create(site, ada, party=party, purpose="CRM", scopes=scopes, days=30)[1]


def test_who_asks_by_a_key_is_its_party_within_its_scopes(site: Site, ada: Actor) -> None:
    viewer = keys.viewer_of(site, make(site, ada))
    assert viewer is not None
    assert (str(viewer.party), viewer.own) == ("advertiser:acme", {"advertiser": "acme"})
    assert may(viewer, "calls.latest") and not may(viewer, "disputes.open_")
    assert str(viewer.actor) == "program:advertiser:acme/key 1"


def test_the_secret_is_nowhere_but_in_the_answer(site: Site, ada: Actor) -> None:
    secret = make(site, ada)
    with reading(site.engine) as connection:
        rows = [
            *connection.execute(text("SELECT * FROM api_keys")),
            *connection.execute(text("SELECT * FROM audit_log")),
        ]
    assert secret.startswith("callrace_") and len(secret) == len("callrace_") + 43
    assert secret not in str(rows) and secret.removeprefix("callrace_") not in str(rows)


def test_a_key_ends_when_it_is_revoked_or_over(site: Site, ada: Actor) -> None:
    secret, now = make(site, ada), site.now()
    assert keys.viewer_of(at(site, now + 30 * DAY_MS - 1), secret) is not None
    assert keys.viewer_of(at(site, now + 30 * DAY_MS), secret) is None
    keys.revoke(site, ada, 1)
    assert keys.viewer_of(site, secret) is None
    with pytest.raises(Refused, match="there is no key 1"):
        keys.revoke(site, ada, 1)


def test_its_last_use_is_known_to_the_minute(site: Site, ada: Actor) -> None:
    secret, now = make(site, ada), site.now()
    for later_ms in (0, 59_999, 60_000, 60_001):
        keys.viewer_of(at(site, now + later_ms), secret)
    [key] = keys.listed(site)
    assert key.last_used_at == now + 60_000


@pytest.mark.parametrize("secret", ["", "callrace_", "callrace_" + "x" * 43, "x" * 10_000, "callrace_\udce4"])
def test_what_is_no_key_is_nobody(site: Site, ada: Actor, secret: str) -> None:
    make(site, ada)
    assert keys.viewer_of(site, secret) is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"party": "advertiser:nobody"}, "there is no advertiser nobody"),
        ({"party": "agent:nobody"}, "there is no destination nobody"),
        ({"party": "buyer:acme"}, "is no party"),
        ({"scopes": ()}, "scopes: expected some of"),
        ({"scopes": ("calls:read", "everything")}, "scopes: expected some of"),
        ({"days": 0}, "days: expected 1 to"),
        ({"purpose": ""}, "purpose"),
    ],
)
def test_a_key_for_nobody_or_for_nothing_is_refused(
    site: Site, ada: Actor, wrong: dict[str, object], says: str
) -> None:
    right: dict[str, object] = {
        "party": "operator",
        "purpose": "export",
        "scopes": ("calls:read",),
        "days": 1,
    }
    with pytest.raises(Refused, match=says):
        keys.create(site, ada, **(right | wrong))  # type: ignore[arg-type]
    assert keys.listed(site) == []


def test_who_made_and_revoked_it_is_in_the_audit_log(site: Site, ada: Actor) -> None:
    make(site, ada)
    keys.revoke(site, ada, 1)
    noted = [(entry.use_case, entry.subject) for entry in auditlog.newest(site.engine, 2)]
    assert noted == [("keys.revoke", "1"), ("keys.create", "1")]
