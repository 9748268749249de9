"""Versions of a campaign's terms, numbered by their content: terms that come back have the same number as before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from ari_app.domain.market.terms import TERMS
from ari_app.store.db.engine import reading
from ari_app.store.db.tables import terms

TermsVersions = dict[tuple[str, str], int]  # by campaign and the terms' fingerprint

# What terms from before the field was there mean by saying nothing: to say it makes no version of its own.
_UNSAID = {"duration_of": "whole"}


def terms_of(engine: Engine, campaign: str, version: int) -> dict[str, Any] | None:
    """The content of a version of a campaign's terms, as in the marketplace's document."""
    query = select(terms.c.terms_json).where(terms.c.campaign == campaign, terms.c.version == version)
    with reading(engine) as connection:
        text = connection.execute(query).scalar_one_or_none()
        return json.loads(text) if text is not None else None


def _terms(document: Mapping[str, Any], campaign: str, *, is_staged: bool = False) -> dict[str, Any]:
    """All that decides whether a call is paid, and how much.

    That includes the advertiser's time zone, which clauses may use, and the campaign's block list, where a clause is
    `not_blocked`.
    """
    rules = document["campaigns"][campaign]
    if is_staged:
        rules = {**rules, **rules["staged"]}
    own = {name: rules[name] for name in TERMS if rules.get(name) and rules[name] != _UNSAID.get(name)}
    block = sorted(rules.get("screen", {}).get("block", ())) if _asks_for_block(own) else ()
    return {
        "advertiser": rules["advertiser"],
        "currency": rules.get("currency", document["currency"]),
        "timezone": document["advertisers"][rules["advertiser"]].get("timezone"),
        "qualify": [],
        **own,
        **({"block": block} if block else {}),
    }


def _asks_for_block(terms: Any) -> bool:
    """Whether any clause of the terms is `not_blocked`."""
    if isinstance(terms, Mapping):
        return bool(terms.get("not_blocked")) or any(map(_asks_for_block, terms.values()))
    return isinstance(terms, list) and any(map(_asks_for_block, terms))


def _contents(document: Mapping[str, Any]) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Every campaign's terms, and then (True) those that it has staged."""
    for campaign, rules in document["campaigns"].items():
        yield campaign, False, _terms(document, campaign)
        if rules.get("staged"):
            yield campaign, True, _terms(document, campaign, is_staged=True)


def numbers_of(document: Mapping[str, Any], versions: TermsVersions) -> tuple[dict[str, int], dict[str, int]]:
    """The version of each campaign's terms and staged terms. New terms get the campaign's next number."""
    known, last = dict(versions), dict[str, int]()
    for (campaign, _), version in versions.items():
        last[campaign] = max(version, last.get(campaign, 0))
    in_force: dict[str, int] = {}
    staged: dict[str, int] = {}
    for campaign, is_staged, content in _contents(document):
        key = campaign, _fingerprint(content)
        if key not in known:
            known[key] = last[campaign] = last.get(campaign, 0) + 1
        (staged if is_staged else in_force)[campaign] = known[key]
    return in_force, staged


def save(connection: Connection, document: Mapping[str, Any], versions: TermsVersions, now: int) -> None:
    """Saves new terms as the campaign's next versions."""
    numbered = numbers_of(document, versions)
    known = set(versions)
    for campaign, is_staged, content in _contents(document):
        fingerprint = _fingerprint(content)
        if (campaign, fingerprint) not in known:
            known.add((campaign, fingerprint))
            row = {
                "campaign": campaign,
                "version": numbered[is_staged][campaign],
                "fingerprint": fingerprint,
                "terms_json": canonical(content),
                "created_at": now,
            }
            connection.execute(insert(terms), row)


def versions_in(connection: Connection) -> TermsVersions:
    """Every known version, as this transaction sees them."""
    rows = connection.execute(select(terms.c.campaign, terms.c.fingerprint, terms.c.version))
    return {(row.campaign, row.fingerprint): row.version for row in rows}


def _fingerprint(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def canonical(content: Mapping[str, Any]) -> str:
    """The JSON of a content: equal contents have equal texts."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
