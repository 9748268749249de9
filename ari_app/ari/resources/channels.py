"""Channels: one leg of a call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ari_app.ari.errors import NotFound
from ari_app.ari.inbox import Inbox
from ari_app.ari.resources.requester import Json, Requester, given, listed, part

TransferState = Literal["channel_progress", "channel_answered", "channel_unavailable", "channel_declined"]

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

        Returns when the call is on its way. Dialled then reports RINGING; StasisStart means that it was
        answered; ChannelDestroyed has the reason why it was not. Asterisk gives up after `timeout_s` seconds (at least
        1). `originator` is the id of the channel for which the call is made: the new channel takes over its formats and
        accounting. `formats` ("ulaw,alaw") sets the formats instead.

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

        PlaybackFinished goes to `inbox`, with `failed` when there is no such sound. Other requests on the channel wait
        until then, so stop a playback before bridging. Also raises Conflict when the channel is not in the application.
        """
        several = [media] if isinstance(media, str) else list(media)
        query = {"media": listed(several, "media")} | given(lang=lang)
        await self._ari.make(
            inbox, playback_id, f"channels/{part(channel_id)}/play/{part(playback_id)}", query
        )

    async def answer(self, channel_id: str) -> None:
        """`answer`: answers the channel."""
        await self._ari.request("POST", f"channels/{part(channel_id)}/answer", channel_id)

    async def hangup(
        self, channel_id: str, reason: HangupReason = "normal", *, reason_code: int | None = None
    ) -> None:
        """`hangup`: for a reason, or for the Q.850 cause `reason_code` instead.

        No error when the channel is gone already. With `answered_elsewhere` (cause 26) a phone does not log a missed
        call.
        """
        query = {"reason": reason} if reason_code is None else {"reason_code": str(reason_code)}
        try:
            await self._ari.request("DELETE", f"channels/{part(channel_id)}", channel_id, query)
        except NotFound:
            return

    async def transfer_progress(self, channel_id: str, state: TransferState) -> None:
        """`transfer_progress`: answers a phone that sent REFER (ChannelTransfer) by NOTIFY: 100, 200, 503 or 603.

        All but the first are final. Asterisk's answer is the same where the phone sent none.
        """
        path = f"channels/{part(channel_id)}/transfer_progress"
        await self._ari.request("POST", path, channel_id, {"states": state})

    async def ring(self, channel_id: str) -> None:
        """`ring`: the caller hears ringback."""
        await self._ari.request("POST", f"channels/{part(channel_id)}/ring", channel_id)

    async def ring_stop(self, channel_id: str) -> None:
        """`ringStop`."""
        await self._ari.request("DELETE", f"channels/{part(channel_id)}/ring", channel_id)

    async def start_moh(self, channel_id: str, moh_class: str = "") -> None:
        """`startMoh`: plays hold music of this class; if empty, of the channel's own class."""
        query = given(mohClass=moh_class)
        await self._ari.request("POST", f"channels/{part(channel_id)}/moh", channel_id, query)

    async def stop_moh(self, channel_id: str) -> None:
        """`stopMoh`."""
        await self._ari.request("DELETE", f"channels/{part(channel_id)}/moh", channel_id)

    async def set_channel_var(self, channel_id: str, variable: str, value: str) -> None:
        """`setChannelVar`: sets a variable, or a writable dialplan function."""
        query = {"variable": variable, "value": value}
        await self._ari.request("POST", f"channels/{part(channel_id)}/variable", channel_id, query)

    async def get_channel_var(self, channel_id: str, variable: str) -> str:
        """`getChannelVar`: the value of a variable, or of a readable dialplan function.

        Raises ServerError when the function has no value for this channel.
        """
        query = {"variable": variable}
        answer = await self._ari.request("GET", f"channels/{part(channel_id)}/variable", channel_id, query)
        return str(answer.json()["value"])

    async def continue_in_dialplan(
        self,
        channel_id: str,
        context: str = "",
        extension: str = "",
        priority: int | None = None,
        label: str = "",
    ) -> None:
        """`continueInDialplan`: the channel leaves the application and goes on in the dialplan.

        What is not given stays as it is in the channel; with nothing given, it goes on at the next priority. A label
        is used in place of a priority.
        """
        query = given(context=context, extension=extension, priority=priority, label=label)
        await self._ari.request("POST", f"channels/{part(channel_id)}/continue", channel_id, query)

    async def get(self, channel_id: str) -> Json:
        """`get`: Asterisk's data of a channel."""
        answer = await self._ari.request("GET", f"channels/{part(channel_id)}", channel_id)
        return dict(answer.json())

    async def rtp_statistics(self, channel_id: str) -> Json:
        """`rtpstatistics`: the channel's RTP statistics so far (RTPstat). Raises NotFound also if there is no RTP."""
        path = f"channels/{part(channel_id)}/rtp_statistics"
        return dict((await self._ari.request("GET", path, channel_id)).json())

    async def list(self) -> list[Json]:
        """`list`: every channel of this Asterisk, including those of other applications."""
        return list((await self._ari.request("GET", "channels")).json())


def joined_args(args: Sequence[str]) -> str:
    """Application arguments in one text, which Asterisk splits again. Raises ValueError for one with a separator."""
    for arg in args:
        if not arg or any(character in arg for character in ',"\\()[]{}'):
            raise ValueError(f'app_args: {arg!r} is empty or holds one of , " \\ ( ) [ ] {{ }}')
    return ",".join(args)
