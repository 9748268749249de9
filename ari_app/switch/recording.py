"""The recording of one call: asks for consent before phones are rung, and starts when the call is connected.

No call waits for its recording, and no call fails because of it. Asterisk itself records; the recording ends with the
caller's channel, even if the switch dies.
"""

from __future__ import annotations

from typing import Protocol

from ari_app.domain.calls.geo import Place
from ari_app.domain.calls.record import Tracks
from ari_app.domain.calls.recording import (
    NotRecorded,
    may_have_begun,
    why_announced,
)
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.campaigns import Recording
from ari_app.switch.call import Call


class Recorder(Protocol):
    """Records channels. Each request is bounded in time."""

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        """Records a channel into the files of a call, while it is bridged; False when the result is unknown.

        `is_again`: continues the files of an earlier recording of the channel. Raises NotRecorded.
        """

    async def stop(self, channel_id: str) -> None:
        """Ends the recording. If that fails, still nothing is recorded until the channel is bridged again."""


class NoRecorder:
    """The recorder of a switch that has none."""

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        """Raises NotRecorded."""
        raise NotRecorded("this switch has no connection to AMI")

    async def stop(self, channel_id: str) -> None:
        """Does nothing."""


class CallRecording:
    """The recording of one call. Without consent nothing is recorded."""

    def __init__(self, call: Call, recorder: Recorder) -> None:
        self._call = call
        self._recorder = recorder
        self._keep_ms: int | None = None  # None: there is no consent

    async def ask_consent(self, rules: Recording | None, place: Place) -> None:
        """Plays the announcement if one is needed; a caller who stays consents. Raises CallerGone."""
        if rules is None:
            return
        if any(
            event.what in (EventName.RECORDING_ANNOUNCED, EventName.RECORDING_NOT_ANNOUNCED)
            for event in self._call.record.events
        ):
            self._keep_ms = rules.keep  # there was consent before an earlier switch died
            return
        why = why_announced(rules.consent, place)
        if why is None:
            self._call.note(EventName.RECORDING_NOT_ANNOUNCED, f"{place.state} does not ask for it")
        elif await self._call.play(rules.consent.prompt):
            self._call.note(EventName.RECORDING_ANNOUNCED, why)
        else:
            await self._call.raise_if_caller_gone()  # the prompt also ends when the caller hangs up
            self._call.note(EventName.NOT_RECORDED, "the announcement could not be played")
            return
        self._keep_ms = rules.keep

    def connected(self) -> None:
        """Caller and agent are bridged, for the first time or again."""
        if self._keep_ms is not None:
            self._call.post(self._begin(self._keep_ms))

    def parted(self) -> None:
        """The agent has left, and the caller waits for another agent."""
        if self._call.record.recording is not None:
            self._call.post(self._recorder.stop(self._call.channel_id))

    async def _begin(self, keep_ms: int) -> None:
        call = self._call
        try:
            is_again = call.record.recording is not None
            is_known = await self._recorder.start(call.channel_id, call.record.id, is_again)
        except NotRecorded as error:
            call.note(EventName.NOT_RECORDED, str(error))
        else:
            self._enter(keep_ms)
            call.note(
                *(
                    (EventName.RECORDING_STARTED,)
                    if is_known
                    else (EventName.RECORDING_ASSUMED, "AMI did not answer")
                )
            )
        call.keep()

    def resumed(self, rules: Recording | None) -> None:
        """The conversation is resumed after the switch had died; Asterisk has gone on recording meanwhile."""
        call = self._call
        if rules is not None and may_have_begun(call.record):
            self._enter(rules.keep)
            call.note(EventName.RECORDING_ASSUMED, "the switch died just as it was to begin")
        elif call.record.recording is not None:
            call.note(EventName.RECORDING_WENT_ON)

    def _enter(self, keep_ms: int) -> None:
        now = self._call.now()
        self._call.record.recording = self._call.record.recording or Tracks(now, now + keep_ms)
