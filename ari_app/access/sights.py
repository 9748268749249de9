"""What each kind of party may see: a row for each topic, and the operator's exceptions for single parties.

Every field that is shown belongs to a topic (`access.fields`), so these two tables are the one truth of who sees what.
The operator sees everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from ari_app.access.parties import Party, PartyKind


class Sight(StrEnum):
    """How a party sees a topic: as it is; as a mask that tells one thing from another; or not at all."""

    WHOLE = "whole"
    MASKED = "masked"
    HIDDEN = "hidden"


WHOLE, MASKED, HIDDEN = Sight


@dataclass(frozen=True, slots=True)
class Topic:
    """What it is about, in words, and how each kind of party sees it unless the operator says otherwise.

    `is_maskable`: there is a mask for it.
    """

    about: str
    advertiser: Sight
    publisher: Sight
    agent: Sight
    is_maskable: bool = False

    def of(self, kind: PartyKind) -> Sight:
        """How a party of this kind sees it."""
        return WHOLE if kind == "operator" else getattr(self, kind)


TOPICS: Mapping[str, Topic] = {
    "facts": Topic("what happened, when, and how long it took", WHOLE, WHOLE, WHOLE),
    "verdict": Topic("the terms, clause by clause, and whether they are met", WHOLE, WHOLE, HIDDEN),
    "caller_numbers": Topic("the callers' numbers", WHOLE, MASKED, WHOLE, is_maskable=True),
    "answers": Topic("what callers answer and enter, their ZIP codes among it", WHOLE, WHOLE, HIDDEN),
    "advertiser_names": Topic("the advertisers' ids and names", WHOLE, MASKED, WHOLE, is_maskable=True),
    "publisher_names": Topic("the publishers' ids and names", MASKED, WHOLE, HIDDEN, is_maskable=True),
    "sources": Topic(
        "the placements of ads, as the publisher names them", MASKED, WHOLE, HIDDEN, is_maskable=True
    ),
    "destinations": Topic("whose phones are rung, and who wins", WHOLE, MASKED, WHOLE, is_maskable=True),
    "race": Topic("each phone that is rung, and what it does", WHOLE, WHOLE, HIDDEN),
    "routing": Topic("who is not rung and why, capacity, caps of others", WHOLE, HIDDEN, HIDDEN),
    "price": Topic("what the advertiser is charged", WHOLE, HIDDEN, HIDDEN),
    "payout": Topic("what the publisher is paid", HIDDEN, WHOLE, HIDDEN),
    "margin": Topic("what the exchange keeps", HIDDEN, HIDDEN, HIDDEN),
    "own_money": Topic("the party's own account, bills and payouts", WHOLE, WHOLE, HIDDEN),
    "notes": Topic("what publishers and the exchange write to each other", HIDDEN, WHOLE, HIDDEN),
    "sales": Topic("how the advertiser names the sales that calls became", WHOLE, HIDDEN, HIDDEN),
    "recordings": Topic("recorded conversations", WHOLE, HIDDEN, HIDDEN),
    "sound": Topic("how well the parties heard each other", WHOLE, HIDDEN, HIDDEN),
    "carriage": Topic("trunks, carriers' headers, diversions, Asterisk's causes", HIDDEN, HIDDEN, HIDDEN),
    "staff": Topic("which of the operator's people did it", MASKED, MASKED, MASKED, is_maskable=True),
    "operation": Topic("the exchange itself: its switch, its stock, its files", HIDDEN, HIDDEN, HIDDEN),
}


class Unsightly(ValueError):
    """A topic cannot be seen in this way; the message says why."""


def check(topic: str, sight: Sight) -> None:
    """Raises Unsightly when there is no such topic, or no mask for it."""
    if topic not in TOPICS:
        raise Unsightly(f"expected one of {', '.join(TOPICS)}")
    if topic == "facts" and sight is not WHOLE:
        raise Unsightly("facts are what all else is told of: they are whole")
    if sight is MASKED and not TOPICS[topic].is_maskable:
        raise Unsightly(f"{topic} can be whole or hidden: there is no mask for it")


@dataclass(frozen=True, slots=True)
class Exceptions:
    """What the operator widened or narrowed: by party (`publisher:pacific`) or kind of party, and topic."""

    sights: Mapping[tuple[str, str], Sight]

    def of(self, party: Party, topic: str) -> Sight:
        """How a party sees a topic: by its own exception, else by that of its kind, else by the table."""
        if party.kind == "operator":
            return WHOLE
        found = self.sights.get((str(party), topic)) or self.sights.get((party.kind, topic))
        return found or TOPICS[topic].of(party.kind)


NO_EXCEPTIONS = Exceptions({})
