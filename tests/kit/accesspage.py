"""docs/access.md, as the tables of `ari_app/access` make it: `python -m tests.kit.accesspage` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ari_app.access.deeds import DEEDS, who_may
from ari_app.access.fields import FIELDS
from ari_app.access.sights import TOPICS
from tests.kit.documented import DOCS

PAGE = DOCS / "access.md"

_HEAD = """\
# Who may do and see what

People and programs belong to a party: the operator, an advertiser, a publisher, or an agent (by the destination where
their phone is). One person may belong to several parties, with a role in each:

- operator: `owner`, `manager`, `finance`, `read_only`
- advertiser: `manager`, `read_only`
- publisher: `manager`, `read_only`
- agent: `agent`

The tables below are those of the program (`ari_app/access`), and a test holds them against it.

## What each party sees

The operator sees everything. An advertiser sees the calls, campaigns, bills and accounts that are its own; so does a
publisher; an agent sees the calls that their phone was rung for. Of these they see each topic `whole`, `masked` (a name
as a code such as `publisher-4f2c91d0`, the same each time; a phone number without its last four digits; the operator's
people as "the exchange") or `hidden`: then the field is not there, and no sentence tells of it.

The operator widens and narrows a topic for one party, or for all of a kind: `callrace visibility set
publisher:pacific caller_numbers whole`.

| Topic | About | Advertiser | Publisher | Agent |
|---|---|---|---|---|"""
_DEEDS = """
## What each role may do

With what is the party's own. Where `Proof` says yes, somebody has to have proved who they are within ten minutes. Who
looks as another party may read, and nothing more. A program's key may do what its role may, and only within its scopes.

| Use case | Scope | Operator | Advertiser | Publisher | Agent | Proof |
|---|---|---|---|---|---|---|"""
_FIELDS = """
An owner, a manager of the operator and a manager of a party invite and remove people: those of the own party; the
operator's those of all other parties, and an owner alone those of the operator.

# The topic of each field

By noun, as in [json.md](json.md), [record.md](record.md) and [marketplace.md](marketplace.md). What has no row is shown
to the operator alone."""


def text() -> str:
    """The whole page."""
    return re.sub(r"\|  (?=\|)", "| ", "\n".join(_lines())) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    for name, topic in TOPICS.items():
        yield f"| `{name}` | {topic.about} | `{topic.advertiser}` | `{topic.publisher}` | `{topic.agent}` |"
    yield _DEEDS
    for what, rule in DEEDS.items():
        cells = [", ".join(f"`{role}`" for role in roles) for roles in who_may(what).values()]
        proof = "yes" if rule.is_fresh else ""
        yield f"| `{what}` | `{rule.scope}` | {' | '.join(cells)} | {proof} |"
    yield _FIELDS
    for noun, fields in FIELDS.items():
        yield f"\n## {noun}\n\n| Field | Topic |\n|---|---|"
        yield from (f"| `{field}` | `{topic}` |" for field, topic in fields.items())


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
