"""The Stasis application itself."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.ari.resources.requester import Json, Requester, part


class Applications:
    """Operations on this client's application. All raise AriError."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def get(self) -> Json:
        """`get`: what the application is subscribed to, in `channel_ids` and `bridge_ids`."""
        return dict((await self._ari.request("GET", f"applications/{part(self._ari.app)}")).json())

    async def subscribe(self, channel_id: str) -> None:
        """`subscribe`: from now on a channel's events are sent even while it is not in the application."""
        await self._subscription("POST", channel_id)

    async def unsubscribe(self, channel_id: str) -> None:
        """`unsubscribe`: undoes `subscribe`."""
        await self._subscription("DELETE", channel_id)

    async def _subscription(self, method: str, channel_id: str) -> None:
        uri = f"applications/{part(self._ari.app)}/subscription"
        await self._ari.request(method, uri, channel_id, {"eventSource": f"channel:{channel_id}"})

    async def filter(self, events: Sequence[str]) -> None:
        """`filter`: Asterisk sends only these types of event, and ApplicationReplaced.

        Asterisk applies it to everything on the application's WebSocket, answers to requests
        included: that is one reason why requests have lanes of their own.
        """
        allowed = [{"type": name} for name in dict.fromkeys([*events, "ApplicationReplaced"])]
        uri = f"applications/{part(self._ari.app)}/eventFilter"
        await self._ari.request("PUT", uri, body={"allowed": allowed})
