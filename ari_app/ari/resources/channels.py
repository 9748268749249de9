"""Channels: one leg of a call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ari_app.ari.errors import NotFound
from ari_app.ari.inbox import Inbox
from ari_app.ari.resources.requester import Json, Requester, given, listed, part

HangupReason = Literal[
    "normal", "busy", "congestion", "no_answer", "rejected", "unallocated", "failure", "answered_elsewhere"
]


class Channels:
    """Operations on channels. All raise AriError; NotFound once the channel is gone."""

    def __init__(self, ari: Requester) -> None:
        self._ari = ari

    async def originate(
        self,
        inbox: Inbox,
        channel_id: str,
        endpoint: str,
        *,
        app_args: Sequence[str] = (),
        caller_id: str = "",
        timeout_s: int = 30,
        originator: str = "",
        formats: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`originateWithId`: calls `endpoint`; the new channel's events go to `inbox`.

        Returns when it is being called. ChannelStateChange then says Ringing, StasisStart that it
        answered, ChannelDestroyed why it did not. It is given up after `timeout_s` seconds (at
        least 1). `originator` is the id of the channel it is called for: its formats and
        accounting are taken over; `formats` ("ulaw,alaw") sets them instead.

        Raises ServerError when Asterisk cannot make the channel (no such endpoint, or it is not
        registered), Conflict when the id is taken, BadRequest when the originator is gone.
        """
        if timeout_s < 1:
            raise ValueError(f"timeout_s: {timeout_s}; Asterisk takes whole seconds, 1 at least")
        query = {"endpoint": endpoint, "app": self._ari.app, "timeout": str(timeout_s)}
        query |= given(appArgs=joined_args(app_args), callerId=caller_id)
        query |= given(originator=originator, formats=formats)
        body = {"variables": dict(variables)} if variables else None
        await self._ari.make(inbox, channel_id, f"channels/{part(channel_id)}", query, body)

    async def play(
        self, inbox: Inbox, playback_id: str, channel_id: str, media: str | Sequence[str], lang: str = ""
    ) -> None:
        """`playWithId`: plays `media` ("sound:hello-world"), or several in a row, to a channel.

        PlaybackFinished goes to `inbox`; it says `failed` when there is no such sound. Other
        requests on the channel wait until then, so stop a playback before bridging. Also
        raises Conflict when the channel is not in the application.
        """
        several = [media] if isinstance(media, str) else list(media)
        query = {"media": listed(several, "media")} | given(lang=lang)
        await self._ari.make(
            inbox, playback_id, f"channels/{part(channel_id)}/play/{part(playback_id)}", query
        )

    async def answer(self, channel_id: str) -> None:
        """`answer`: picks up."""
        await self._ari.request("POST", f"channels/{part(channel_id)}/answer", channel_id)

    async def hangup(
        self, channel_id: str, reason: HangupReason = "normal", *, reason_code: int | None = None
    ) -> None:
        """`hangup`: for a reason, or for the Q.850 cause `reason_code` instead.

        Done also when the channel is gone already. `answered_elsewhere` (cause 26) keeps a phone
        from logging a missed call.
        """
        query = {"reason": reason} if reason_code is None else {"reason_code": str(reason_code)}
        try:
            await self._ari.request("DELETE", f"channels/{part(channel_id)}", channel_id, query)
        except NotFound:
            return

    async def ring(self, channel_id: str) -> None:
        """`ring`: lets the caller hear ringing."""
        await self._ari.request("POST", f"channels/{part(channel_id)}/ring", channel_id)

    async def ring_stop(self, channel_id: str) -> None:
        """`ringStop`."""
        await self._ari.request("DELETE", f"channels/{part(channel_id)}/ring", channel_id)

    async def start_moh(self, channel_id: str, moh_class: str = "") -> None:
        """`startMoh`: plays hold music of a class, of the channel's own when empty."""
        query = given(mohClass=moh_class)
        await self._ari.request("POST", f"channels/{part(channel_id)}/moh", channel_id, query)

    async def stop_moh(self, channel_id: str) -> None:
        """`stopMoh`."""
        await self._ari.request("DELETE", f"channels/{part(channel_id)}/moh", channel_id)

    async def set_channel_var(self, channel_id: str, variable: str, value: str) -> None:
        """`setChannelVar`: sets a variable, or a writable dialplan function."""
        query = {"variable": variable, "value": value}
        await self._ari.request("POST", f"channels/{part(channel_id)}/variable", channel_id, query)

    async def continue_in_dialplan(
        self,
        channel_id: str,
        context: str = "",
        extension: str = "",
        priority: int | None = None,
        label: str = "",
    ) -> None:
        """`continueInDialplan`: leaves the application, for a place or for the next priority.

        What is not given of the place is where the channel is; a label stands for a priority.
        """
        query = given(context=context, extension=extension, priority=priority, label=label)
        await self._ari.request("POST", f"channels/{part(channel_id)}/continue", channel_id, query)

    async def get(self, channel_id: str) -> Json:
        """`get`: what Asterisk knows of a channel."""
        answer = await self._ari.request("GET", f"channels/{part(channel_id)}", channel_id)
        return dict(answer.json())

    async def list(self) -> list[Json]:
        """`list`: every channel of this Asterisk, other applications' too."""
        return list((await self._ari.request("GET", "channels")).json())


def joined_args(args: Sequence[str]) -> str:
    """Application arguments as Asterisk splits them again. Raises ValueError for one it would not."""
    for arg in args:
        if not arg or any(character in arg for character in ',"\\()[]{}'):
            raise ValueError(f'app_args: {arg!r} is empty or holds one of , " \\ ( ) [ ] {{ }}')
    return ",".join(args)
