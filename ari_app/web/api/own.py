"""Which campaigns are the asker's own: where a thing names no party, they say whose it is."""

from __future__ import annotations

from ari_app.desk import documents
from ari_app.web.who import Asked


def campaigns_of(asked: Asked) -> frozenset[str]:
    """The campaigns of an advertiser; none for others, whose things name them."""
    advertiser = asked.viewer.own.get("advertiser")
    if advertiser is None:
        return frozenset()
    listed = documents.listed(asked.site, "campaigns")
    return frozenset(name for name, one in listed.items() if one["advertiser"] == advertiser)
