"""Asterisk itself."""

from __future__ import annotations

from datetime import datetime

from ari_app.ari.errors import AriBadAnswer
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

    async def reload_module(self, module: str) -> None:
        """`reloadModule`: a module, such as `res_pjsip.so`, reads its configuration again."""
        await self._ari.request("PUT", f"asterisk/modules/{module}")

    async def ping(self) -> None:
        """`ping`: returns when Asterisk answers."""
        await self._ari.request("GET", "asterisk/ping")

    async def set_global_var(self, variable: str, value: str) -> None:
        """`setGlobalVar`: sets a variable that every channel in the dialplan can read, until Asterisk ends."""
        await self._ari.request("POST", "asterisk/variable", query={"variable": variable, "value": value})

    async def clock(self) -> int:
        """`ping`: the time of Asterisk's clock, ms since the epoch."""
        answer = await self._ari.request("GET", "asterisk/ping")
        try:
            return round(datetime.fromisoformat(answer.json()["timestamp"]).timestamp() * 1000)
        except (KeyError, TypeError, ValueError) as error:
            raise AriBadAnswer(
                f"{answer.request}: answered without a time ({error!r}); is this Asterisk?"
            ) from error
