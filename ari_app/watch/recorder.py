"""Has Asterisk record conversations, by AMI's MixMonitor, on a connection that is made when the first one is wanted.

MixMonitor writes what a channel hears and what it says into two files that are silent in step, takes no channel of
its own and ends with the channel. ARI could record by two snooping channels, which cost more and begin apart.
Source: AMI action MixMonitor; Asterisk, apps/app_mixmonitor.c.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from ari_app.domain.calls.record import track_files
from ari_app.domain.calls.recording import NotRecorded
from ari_app.settings import Settings, SettingsError
from ari_app.watch import ami
from ari_app.watch.ami import AmiError, Session

ANSWER_S = 2.0  # how long a call's end can have to wait for AMI
PAUSE_S = 5.0  # after AMI has failed, calls are not recorded, rather than that each waits for it


class Recorder:
    """Made by `recorder`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._connection = AsyncExitStack()
        self._asterisk: Session | None = None
        self._not_before = 0.0

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        """Records the channel, while it is bridged, until it is gone; False when AMI did not answer to that.

        `is_again`: it was recorded before, and the files go on. Raises NotRecorded. Returns within ANSWER_S, or
        twice that for the first that finds AMI dead.
        """
        if is_again:
            await self.stop(channel_id)  # two would write into one file
        response = await self._ask("MixMonitor", Channel=channel_id, Options=options(call_id))
        if response is not None and not response.success:
            raise NotRecorded(f"Asterisk refuses: {response.message}")
        return response is not None

    async def stop(self, channel_id: str) -> None:
        """Ends what records the channel, if anything does.

        To be done as soon as it is bridged no more. Measured on Asterisk 22.10: of what the next agent says, a
        MixMonitor that goes on, or one that takes over only then, writes nothing but silence in every second call.
        """
        with suppress(NotRecorded):
            await self._ask("StopMixMonitor", Channel=channel_id)

    async def _ask(self, action: str, **fields: str) -> Any:
        """Asterisk's response, None when there was none in time. Raises NotRecorded when it was not asked."""
        async with self._lock:
            asterisk = await self._connected()
            try:
                async with asyncio.timeout(ANSWER_S):
                    return (await asterisk.ask(action, **fields))[0]
            except (AmiError, TimeoutError):
                await self._give_up()
                return None

    async def close(self) -> None:
        """Ends the connection; what is being recorded is recorded on."""
        self._asterisk = None
        await self._connection.aclose()

    async def _connected(self) -> Session:
        if self._asterisk is not None and not self._asterisk.is_lost:
            return self._asterisk
        if time.monotonic() < self._not_before:
            raise NotRecorded("AMI did not answer a moment ago")
        await self.close()
        try:
            async with asyncio.timeout(ANSWER_S):
                session = ami.session(self._settings)
                self._asterisk = await self._connection.enter_async_context(session)
        except TimeoutError as error:
            await self._give_up()
            raise NotRecorded(f"AMI does not answer within {ANSWER_S:g} s") from error
        except (AmiError, SettingsError) as error:
            await self._give_up()
            raise NotRecorded(str(error)) from error
        return self._asterisk

    async def _give_up(self) -> None:
        self._not_before = time.monotonic() + PAUSE_S
        await self.close()


@asynccontextmanager
async def recorder(settings: Settings) -> AsyncIterator[Recorder]:
    """A recorder for as long as the block lasts."""
    made = Recorder(settings)
    try:
        yield made
    finally:
        await made.close()


def options(call_id: str) -> str:
    """MixMonitor's: a, what is in the files stays; b, while the channel is bridged; r and t, what comes from it and
    what goes to it, by file.

    Names without a path are in Asterisk's folder `monitor`, which is HOME/recordings.
    """
    files = track_files(call_id)
    return f"abr({files['caller']})t({files['agent']})"
