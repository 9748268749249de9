"""The marketplace in force, which nearly every use case needs."""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.desk.refused import Code, Refused
from ari_app.store.market import marketplaces
from ari_app.store.market.marketplaces import Loaded


def in_force(engine: Engine) -> Loaded:
    """The marketplace that was applied last. Raises Refused, StoreError."""
    loaded = marketplaces.load(engine)
    if loaded is None:
        raise Refused(Code.NO_MARKETPLACE)
    return loaded
