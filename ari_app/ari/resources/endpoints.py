"""Endpoints: the phones and trunks that Asterisk knows."""

from __future__ import annotations

from ari_app.ari.resources.requester import Json, Requester


class Endpoints:
    """Operations on endpoints. All raise AriError."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def list(self) -> list[Json]:
        """`list`: each with `technology`, `resource`, `state` and `channel_ids`."""
        return list((await self._ari.request("GET", "endpoints")).json())
