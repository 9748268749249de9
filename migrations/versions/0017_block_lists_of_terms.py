"""The block list belongs to terms that ask for it: those in force, and those staged, get a version that has it.

Otherwise a call after the upgrade would be pinned to a version that is written down only by the next apply.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TERMS = sa.table(
    "terms", *map(sa.column, ("campaign", "version", "fingerprint", "terms_json", "created_at"))
)
_NEWEST = "SELECT document_json, applied_at FROM marketplace_versions ORDER BY version DESC LIMIT 1"
_FIELDS = ("price", "payout", "qualify", "price_when", "payout_when", "bonus", "overrides")


def upgrade() -> None:
    row = op.get_bind().exec_driver_sql(_NEWEST).one_or_none()
    campaigns = json.loads(row[0])["campaigns"] if row else {}
    for campaign, rules in campaigns.items():
        block = rules.get("screen", {}).get("block")
        if block:
            for terms in list(_asking(campaign, rules)):
                _add(campaign, {**terms, "block": sorted(block)}, row[1])


def downgrade() -> None:
    """Terms are never taken away; without these versions the older ones are in force again."""


def _asking(campaign: str, rules: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The terms of the campaign now, and those staged, that have a clause `not_blocked`."""
    staged = {**rules, **rules["staged"]} if rules.get("staged") else rules
    wanted = [_own(rules), _own(staged)]
    query = sa.select(_TERMS.c.terms_json).where(_TERMS.c.campaign == campaign).order_by(_TERMS.c.version)
    for text in op.get_bind().execute(query).scalars().all():
        terms = json.loads(text)
        if _own(terms) in wanted and _asks(terms):
            yield terms


def _own(rules: dict[str, Any]) -> dict[str, Any]:
    return {name: rules[name] for name in _FIELDS if rules.get(name)}


def _add(campaign: str, terms: dict[str, Any], at: int) -> None:
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    last = sa.select(sa.func.max(_TERMS.c.version)).where(_TERMS.c.campaign == campaign)
    version = op.get_bind().execute(last).scalar_one() + 1
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    known = sa.select(_TERMS.c.version).where(
        _TERMS.c.campaign == campaign, _TERMS.c.fingerprint == fingerprint
    )
    if op.get_bind().execute(known).first() is None:
        values = {"version": version, "fingerprint": fingerprint, "terms_json": text, "created_at": at}
        op.get_bind().execute(sa.insert(_TERMS).values(campaign=campaign, **values))


def _asks(terms: Any) -> bool:
    if isinstance(terms, dict):
        return bool(terms.get("not_blocked")) or any(map(_asks, terms.values()))
    return isinstance(terms, list) and any(map(_asks, terms))
