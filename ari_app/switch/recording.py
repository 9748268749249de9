"""Has one call recorded: asks for consent before phones are rung, and begins once it is connected.

No call waits for its recording, and none fails with it. What records is Asterisk's own: it ends with the caller's
channel, whatever becomes of the switch.
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
    """Records channels. Its time is bounded."""

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        """Records a channel to the files of a call, while it is bridged; False when that is not known.

        `is_again`: goes on with the files in which it was recorded before. Raises NotRecorded.
        """

    async def stop(self, channel_id: str) -> None:
        """Ends that. Where it cannot, nothing is recorded all the same until the channel is bridged again."""


class NoRecorder:
    """The recorder of a switch that has none."""

    async def start(self, channel_id: str, call_id: str, is_again: bool) -> bool:
        """Raises NotRecorded."""
        raise NotRecorded("this switch has no connection to AMI")

    async def stop(self, channel_id: str) -> None:
        """Does nothing."""


class CallRecording:
    """The recording of one call; of a call without consent, none."""

    def __init__(self, call: Call, recorder: Recorder) -> None:
        self._call = call
        self._recorder = recorder
        self._keep_ms: int | None = None  # None: nobody has consented

    async def ask_consent(self, rules: Recording | None, place: Place) -> None:
        """Tells the caller, where that is to be; who stays consents. Raises CallerGone."""
        if rules is None:
            return
        if any(
            event.what in (EventName.RECORDING_ANNOUNCED, EventName.RECORDING_NOT_ANNOUNCED)
            for event in self._call.record.events
        ):
            self._keep_ms = rules.keep  # it was settled before a switch died
            return
        why = why_announced(rules.consent, place)
        if why is None:
            self._call.note(EventName.RECORDING_NOT_ANNOUNCED, f"{place.state} does not ask for it")
        elif await self._call.play(rules.consent.prompt):
            self._call.note(EventName.RECORDING_ANNOUNCED, why)
        else:
            await self._call.see_caller_out()  # who hangs up breaks it off, too
            self._call.note(EventName.NOT_RECORDED, "the announcement could not be played")
            return
        self._keep_ms = rules.keep

    def connected(self) -> None:
        """Caller and agent are bridged, perhaps not for the first time."""
        if self._keep_ms is not None:
            self._call.post(self._begin(self._keep_ms))

    def parted(self) -> None:
        """The agent left, and the caller waits for another."""
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

    def taken_up(self, rules: Recording | None) -> None:
        """The switch had died after they were connected; what Asterisk had begun to record it recorded on."""
        call = self._call
        if rules is not None and may_have_begun(call.record):
            self._enter(rules.keep)
            call.note(EventName.RECORDING_ASSUMED, "the switch died just as it was to begin")
        elif call.record.recording is not None:
            call.note(EventName.RECORDING_WENT_ON)

    def _enter(self, keep_ms: int) -> None:
        now = self._call.now()
        self._call.record.recording = self._call.record.recording or Tracks(now, now + keep_ms)
