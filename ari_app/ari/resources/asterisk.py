"""Asterisk itself."""

from __future__ import annotations

from ari_app.ari.resources.requester import Json, Requester


class Asterisk:
    """Operations on Asterisk. All raise AriError."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def get_info(self) -> Json:
        """`getInfo`: build, system (with its version), config and status."""
        return dict((await self._ari.request("GET", "asterisk/info")).json())

    async def list_modules(self) -> list[Json]:
        """`listModules`: each with `name` and `status`."""
        return list((await self._ari.request("GET", "asterisk/modules")).json())

    async def ping(self) -> None:
        """`ping`: returns when Asterisk answers."""
        await self._ari.request("GET", "asterisk/ping")
