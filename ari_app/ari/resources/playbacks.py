"""Playbacks: sounds being played. Made by `channels.play`."""

from __future__ import annotations

from ari_app.ari.errors import NotFound
from ari_app.ari.resources.requester import Json, Requester, part


class Playbacks:
    """Operations on playbacks. All raise AriError."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def stop(self, playback_id: str) -> None:
        """`stop`: PlaybackFinished follows. No error when the playback is over already."""
        try:
            await self._ari.request("DELETE", f"playbacks/{part(playback_id)}", playback_id)
        except NotFound:
            return

    async def get(self, playback_id: str) -> Json:
        """`get`: Asterisk's data of a playback. Raises NotFound once it is over."""
        answer = await self._ari.request("GET", f"playbacks/{part(playback_id)}", playback_id)
        return dict(answer.json())
