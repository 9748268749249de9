"""What an apply does, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from ari_app.domain.document.changes import Change
from ari_app.domain.ledger.balances import KeptAccount
from ari_app.domain.market.marketplace import Marketplace


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply does: the version that is then in force, what it changes, and the marketplace after it.

    `accounts` are those of the advertisers and publishers that it removes; the accounts stay.
    """

    version: int
    changes: list[Change]
    marketplace: Marketplace
    accounts: list[KeptAccount] = field(default_factory=list)
