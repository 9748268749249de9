"""Bridges: what lets channels hear each other."""

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

        `bridge_type`: `mixing` (media can be taken out of Asterisk's hands when all it needs is to
        pass), with `,dtmf_events` (keys are told, which prevents that), or `holding`.
        """
        await self._ari.make(inbox, bridge_id, f"bridges/{part(bridge_id)}", {"type": bridge_type})

    async def add_channel(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """`addChannel`: all of them, in one request. Returns when they are in.

        Also raises BadRequest when a channel is gone (then none is added), Unprocessable when one
        is not in the application.
        """
        query = {"channel": listed(list(channel_ids), "channel_ids")}
        await self._ari.request("POST", f"bridges/{part(bridge_id)}/addChannel", bridge_id, query)

    async def remove_channel(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """`removeChannel`. Also raises BadRequest or Unprocessable when one is not in the bridge."""
        query = {"channel": listed(list(channel_ids), "channel_ids")}
        await self._ari.request("POST", f"bridges/{part(bridge_id)}/removeChannel", bridge_id, query)

    async def destroy(self, bridge_id: str) -> None:
        """`destroy`: its channels stay in the application. Done also when it is gone already.

        Of a bridge that is just going Asterisk says 409, that it is in no Stasis application any more.
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
        """`get`: what Asterisk knows of a bridge."""
        return dict((await self._ari.request("GET", f"bridges/{part(bridge_id)}", bridge_id)).json())

    async def list(self) -> list[Json]:
        """`list`: every bridge of this Asterisk."""
        return list((await self._ari.request("GET", "bridges")).json())
