"""Advertisers and publishers, also those that left the marketplace: their accounts and names stay."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Literal

from sqlalchemy import Connection, Engine, select

from ari_app.domain.document.assembly import what_is_wrong
from ari_app.domain.document.changes import Change
from ari_app.domain.document.reading import from_document
from ari_app.domain.ledger.balances import KeptAccount, PartyKind
from ari_app.domain.ledger.transfers import advertiser_account, publisher_account
from ari_app.domain.market.marketplace import Marketplace
from ari_app.domain.market.parties import Advertiser, Publisher
from ari_app.store.db.engine import reading
from ari_app.store.db.errors import DocumentUnreadable
from ari_app.store.db.tables import account_balances, marketplace_versions

_ACCOUNT = {"advertiser": advertiser_account, "publisher": publisher_account}


def advertiser(engine: Engine, name: str) -> Advertiser | None:
    """The advertiser, from the newest version of the marketplace that has it; None: there never was one.

    Raises DocumentUnreadable.
    """
    found = _last_with(engine, name, "advertisers")
    return found.advertisers[name] if found else None


def publisher(engine: Engine, name: str) -> Publisher | None:
    """The publisher, from the newest version of the marketplace that has it; None: there never was one.

    Raises DocumentUnreadable.
    """
    found = _last_with(engine, name, "publishers")
    return found.publishers[name] if found else None


def accounts_of_removed(connection: Connection, changes: Collection[Change]) -> list[KeptAccount]:
    """The accounts of the parties that these changes remove, without empty accounts."""
    gone = {
        _ACCOUNT[change.what](change.name): change
        for change in changes
        if change.kind == "removed" and change.what in _ACCOUNT
    }
    balances = select(account_balances).order_by(account_balances.c.account, account_balances.c.currency)
    kept = []
    for row in connection.execute(balances) if gone else ():
        change, set_aside = gone.get(row.account), row.reserved - min(row.held, 0)
        if change is not None and (row.posted or set_aside):
            what: PartyKind = "advertiser" if change.what == "advertiser" else "publisher"
            kept.append(KeptAccount(what, change.name, row.currency, row.posted, set_aside))
    return kept


def _last_with(engine: Engine, name: str, part: Literal["advertisers", "publishers"]) -> Marketplace | None:
    """The newest version of the marketplace that has a party of this id. Raises DocumentUnreadable."""
    table = marketplace_versions
    query = (
        select(table.c.version, table.c.document_json)
        .where(table.c.document_json.contains(f'"{name}":', autoescape=True))
        .order_by(table.c.version.desc())
        .execution_options(yield_per=1)
    )
    with reading(engine) as connection:
        for version, text in connection.execute(query):
            document = json.loads(text)
            if name in document.get(part, {}):
                try:
                    return from_document(document | {"numbers": {}})
                except (ValueError, TypeError) as error:
                    raise DocumentUnreadable(version, what_is_wrong(error)) from error
    return None
