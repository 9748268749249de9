"""Advertisers and publishers as commands name them: those in the marketplace, and those that left it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Engine

from ari_app.cli.common import Refused
from ari_app.domain.basics.money import format_amount
from ari_app.domain.ledger.balances import KeptAccount
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.store.market import parties


def advertiser_of(engine: Engine, marketplace: Marketplace, name: str) -> Advertiser:
    """The advertiser of this id, in force or before. Raises Refused, naming those that there are."""
    found = marketplace.advertisers.get(name) or parties.advertiser(engine, name)
    if found is None:
        raise _unknown("advertiser", name, marketplace.advertisers)
    return found


def publisher_of(engine: Engine, marketplace: Marketplace, name: str) -> Publisher:
    """The publisher of this id, in force or before. Raises Refused, naming those that there are."""
    found = marketplace.publishers.get(name) or parties.publisher(engine, name)
    if found is None:
        raise _unknown("publisher", name, marketplace.publishers)
    return found


def _unknown(what: str, name: str, known: Iterable[str]) -> Refused:
    return Refused(f"there is no {what} {name}; there are: {', '.join(sorted(known))}")


def kept_words(accounts: Iterable[KeptAccount]) -> Iterator[str]:
    """What parties that leave are owed and owe, a line each."""
    for kept in accounts:
        said = []
        if kept.balance:
            verb = "is owed" if kept.balance > 0 else "owes"
            said.append(f"it {verb} {format_amount(abs(kept.balance), kept.currency)} {kept.currency}")
        if kept.set_aside:
            amount = f"{format_amount(kept.set_aside, kept.currency)} {kept.currency}"
            said.append(f"{amount} of it may go to calls that are not settled yet")
        yield f"{kept.what} {kept.name} keeps its account: {'; '.join(said)}"


def kept_values(accounts: Iterable[KeptAccount]) -> list[dict[str, str]]:
    """The same for JSON."""
    return [
        {
            "what": kept.what,
            "name": kept.name,
            "currency": kept.currency,
            "balance": format_amount(kept.balance, kept.currency),
            "set_aside": format_amount(kept.set_aside, kept.currency),
        }
        for kept in accounts
    ]
