"""Bridges: the channels in a bridge hear each other."""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.ari.errors import Conflict, NotFound
from ari_app.ari.inbox import Inbox
from ari_app.ari.resources.requester import Json, Requester, given, listed, part


class Bridges:
    """Operations on bridges. All raise AriError; NotFound once the bridge is gone."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def create(self, inbox: Inbox, bridge_id: str, bridge_type: str = "mixing") -> None:
        """`createWithId`: an empty bridge, whose events go to `inbox`.

        `bridge_type` is `mixing`, `mixing,dtmf_events` or `holding`. With `mixing`, media need not pass through
        Asterisk when nothing must be done to it. `dtmf_events` reports keys, which prevents that.
        """
        await self._ari.make(inbox, bridge_id, f"bridges/{part(bridge_id)}", {"type": bridge_type})

    async def add_channel(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """`addChannel`: adds all of them, in one request. Returns when they are in the bridge.

        Also raises BadRequest when a channel is gone (then none is added), Unprocessable when a channel is not in the
        application.
        """
        query = {"channel": listed(list(channel_ids), "channel_ids")}
        await self._ari.request("POST", f"bridges/{part(bridge_id)}/addChannel", bridge_id, query)

    async def remove_channel(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """`removeChannel`. Also raises BadRequest or Unprocessable when a channel is not in the bridge."""
        query = {"channel": listed(list(channel_ids), "channel_ids")}
        await self._ari.request("POST", f"bridges/{part(bridge_id)}/removeChannel", bridge_id, query)

    async def destroy(self, bridge_id: str) -> None:
        """`destroy`: its channels stay in the application. No error when the bridge is gone already.

        For a bridge that is just being destroyed, Asterisk answers 409: not in a Stasis application.
        """
        try:
            await self._ari.request("DELETE", f"bridges/{part(bridge_id)}", bridge_id)
        except (NotFound, Conflict):
            return

    async def start_moh(self, bridge_id: str, moh_class: str = "") -> None:
        """`startMoh`: plays hold music to everybody in the bridge."""
        query = given(mohClass=moh_class)
        await self._ari.request("POST", f"bridges/{part(bridge_id)}/moh", bridge_id, query)

    async def stop_moh(self, bridge_id: str) -> None:
        """`stopMoh`."""
        await self._ari.request("DELETE", f"bridges/{part(bridge_id)}/moh", bridge_id)

    async def get(self, bridge_id: str) -> Json:
        """`get`: Asterisk's data of a bridge."""
        return dict((await self._ari.request("GET", f"bridges/{part(bridge_id)}", bridge_id)).json())

    async def list(self) -> list[Json]:
        """`list`: every bridge of this Asterisk."""
        return list((await self._ari.request("GET", "bridges")).json())
