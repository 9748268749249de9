"""Sounds that Asterisk can play."""

from __future__ import annotations

from ari_app.ari.resources.requester import Json, Requester, part


class Sounds:
    """Operations on sounds. All raise AriError."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def list(self) -> list[Json]:
        """`list`: each with its `id` and `formats`."""
        return list((await self._ari.request("GET", "sounds")).json())

    async def get(self, sound_id: str) -> Json:
        """`get`: one sound. Raises NotFound."""
        return dict((await self._ari.request("GET", f"sounds/{part(sound_id)}")).json())
