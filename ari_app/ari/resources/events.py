"""Events that we send to Asterisk."""

from __future__ import annotations

from ari_app.ari.resources.requester import Requester


class Events:
    """Operations on events. All raise AriError."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def claim(self, channel_id: str) -> None:
        """`claimChannel`: takes a channel that StasisBroadcast() offers to several applications.

        Its StasisStart follows. Raises Conflict when another took it, NotFound when it is gone.
        """
        query = {"channelId": channel_id, "application": self._ari.app}
        await self._ari.request("POST", "events/claim", channel_id, query)
