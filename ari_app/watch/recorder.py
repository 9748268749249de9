"""Makes Asterisk record conversations, by AMI's MixMonitor. The AMI connection is made for the first recording.

MixMonitor writes what a channel hears and what it says into two files. It pads both with silence, so they stay in step.
It needs no channel of its own, and ends with the recorded channel. ARI could record by two snoop channels, but these
cost more, and do not begin at the same moment. Source: AMI action MixMonitor; Asterisk, apps/app_mixmonitor.c.
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

ANSWER_S = 2.0  # how long the end of a call may have to wait for AMI
PAUSE_S = 5.0  # after AMI has failed, no call is recorded for this long, so that not each one waits for AMI


class Recorder:
    """Starts and stops recordings. It is made by `recorder`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()
        self._connection = AsyncExitStack()
        self._asterisk: Session | None = None
        self._not_before = 0.0

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        """Records the channel, whenever it is bridged, until it is gone. Returns False when AMI did not answer in time.

        `is_again`: the channel was recorded before, and the same files are continued. Raises NotRecorded. Returns
        within ANSWER_S, or within twice that for the first call that finds AMI dead.
        """
        if is_again:
            await self.stop(channel_id)  # else two MixMonitors would write into one file
        response = await self._ask("MixMonitor", Channel=channel_id, Options=options(call_id))
        if response is not None and not response.success:
            raise NotRecorded(f"Asterisk refuses: {response.message}")
        return response is not None

    async def stop(self, channel_id: str) -> None:
        """Ends the recording of the channel, if there is one.

        Do this as soon as the channel leaves the bridge. If the old MixMonitor goes on, or is replaced only when the
        next agent is bridged, it records silence instead of that agent in every second call (Asterisk 22.10).
        """
        with suppress(NotRecorded):
            await self._ask("StopMixMonitor", Channel=channel_id)

    async def _ask(self, action: str, **fields: str) -> Any:
        """Asterisk's response; None when none came in time. Raises NotRecorded when the action could not be sent."""
        async with self._lock:
            asterisk = await self._connected()
            try:
                async with asyncio.timeout(ANSWER_S):
                    return (await asterisk.ask(action, **fields))[0]
            except (AmiError, TimeoutError):
                await self._give_up()
                return None

    async def close(self) -> None:
        """Closes the connection. Recordings under way go on."""
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
    """A recorder that lasts as long as the block."""
    made = Recorder(settings)
    try:
        yield made
    finally:
        await made.close()


def options(call_id: str) -> str:
    """MixMonitor's options: a = append to the files; b = only while the channel is bridged; r and t = one file for the
    audio received from the channel, and one for the audio sent to it.

    A name without a path is in Asterisk's folder `monitor`, which is HOME/recordings.
    """
    files = track_files(call_id)
    return f"abr({files['caller']})t({files['agent']})"
