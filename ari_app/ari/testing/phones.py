"""People at telephones. A test says what they do, in order, before or during a call.

    agent.answers(after_s=3).presses("1").hangs_up(after_s=90)

`after_s` counts from their previous action, or from the beginning of the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from ari_app.ari.testing.asterisk import Asterisk

NORMAL, BUSY, NO_ANSWER, REJECTED, OUT_OF_ORDER, ELSEWHERE = 16, 17, 19, 21, 38, 26
FRAME_S = 0.02


@dataclass(eq=False)
class Channel:
    """A channel: `state` as Asterisk names it, `caller` the number shown.

    `hears`: what is played until it is stopped (ringback, music). `heard`: every sound that was played to it.
    `audio_goes_to`: the address to which its audio is sent; "(null)": nowhere; None: there is no audio.
    """

    id: str
    name: str
    state: str
    caller: str
    exten: str = ""
    app_data: str = ""
    is_in_app: bool = False
    is_subscribed: bool = False  # its events are sent although it is not in the application
    timeout: asyncio.TimerHandle | None = None
    hears: str | None = None
    heard: list[str] = field(default_factory=list)
    audio_goes_to: str | None = "192.0.2.1:4000"
    cause: int | None = None  # Q.850 cause of its end
    up_at: float | None = None  # when it was answered, in the loop's time; RTP begins then
    lost: int = 0  # how many of the packets from it are lost
    silent_at: float | None = None  # since when no packet comes from it, in the loop's time
    silent_s: float = 0.0  # for how long none came before that
    reports: int = 0  # how many RTCP reports came while it was silent
    is_dead: bool = False  # it answers nothing
    continued_at: str | None = None  # the dialplan label at which it went on
    notified: list[str] = field(
        default_factory=list
    )  # what it was told of its transfers; "603": it may have none

    def told(self) -> dict[str, object]:
        """The channel as Asterisk's JSON."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "channelvars": self._variables(),
            "caller": {"name": "", "number": self.caller},
            "dialplan": {
                "context": "callrace-in",
                "exten": self.exten,
                "app_name": "Stasis" if self.is_in_app else "Dial",
                "app_data": self.app_data,
            },
        }

    def change_state(self, state: str) -> None:
        """Ringing, Up."""
        self.state = state
        if state == "Up" and self.up_at is None:
            self.up_at = asyncio.get_running_loop().time()

    def rtp_statistics(self) -> dict[str, float]:
        """The RTP statistics since the answer, as if both sides talk without a pause."""
        up_s = asyncio.get_running_loop().time() - self.up_at if self.up_at is not None else 0.0
        sent = round(up_s / FRAME_S)
        said = round((up_s - self._silent_s()) / FRAME_S) if up_s else 0
        counts = {"rxcount": said - self.lost, "rxploss": self.lost, "txcount": sent, "txploss": 0}
        return {"txjitter": 0.002, "rxjitter": 0.0, "rtt": 0.000_001 * self.reports} | counts

    def is_silent(self, is_so: bool) -> None:
        """No packet comes from it from now on, or they come again."""
        self.silent_s = self._silent_s()
        self.silent_at = asyncio.get_running_loop().time() if is_so else None

    def _silent_s(self) -> float:
        return self.silent_s + (
            asyncio.get_running_loop().time() - self.silent_at if self.silent_at is not None else 0.0
        )

    def rtcp(self) -> str:
        """The RTP statistics as the dialplan function CHANNEL(rtcp,all) and the variable RTPAUDIOQOS have them."""
        told = self.rtp_statistics()
        told["lp"], told["rlp"] = told.pop("rxploss"), told.pop("txploss")
        return ";".join(f"{name}={value}" for name, value in told.items())

    def _variables(self) -> dict[str, str]:
        """The channel variables that ari.conf asks for; they are set at the hangup."""
        if self.cause is None or self.up_at is None:
            return {"RTPAUDIOQOS": ""}
        return {"RTPAUDIOQOS": self.rtcp()}


@dataclass(eq=False)
class Playback:
    """Sounds that are played to a channel, one after the other."""

    id: str
    channel: Channel
    sounds: list[str]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


_Act = Callable[["Asterisk", Channel], None]


class _Person:
    """Does one action after the other on a channel, and waits for more."""

    def __init__(self) -> None:
        self.channels: list[Channel] = []  # one for each call that it took part in, the newest last
        self._acts: list[list[tuple[float, _Act]]] = [[]]
        self._more = asyncio.Event()

    @property
    def channel(self) -> Channel:
        """The present channel, or the last one."""
        return self.channels[-1]

    @property
    def is_on_the_line(self) -> bool:
        """Whether the present channel has not ended."""
        return bool(self.channels) and self.channel.cause is None and self.channel.continued_at is None

    @property
    def heard(self) -> list[str]:
        """Every sound that was played to it, in all of its calls."""
        return [sound for channel in self.channels for sound in channel.heard]

    def does(self, act: _Act, after_s: float = 0.0) -> Self:
        """Adds an action, `after_s` seconds after the previous one."""
        self._acts[-1].append((after_s, act))
        self._more.set()
        return self

    def then(self) -> Self:
        """The actions added from now on are for its next call, and for all calls after that."""
        self._acts.append([])
        return self

    def presses(self, digits: str, after_s: float = 1.0) -> Self:
        """Presses keys, all at once."""
        return self.does(lambda asterisk, channel: asterisk.press(channel, digits), after_s)

    def holds(self, after_s: float = 1.0) -> Self:
        """Puts the other side on hold: Asterisk reports it, and the call goes on."""
        return self.does(lambda asterisk, channel: asterisk.tell("ChannelHold", channel), after_s)

    def unholds(self, after_s: float = 1.0) -> Self:
        """Takes the other side off hold."""
        return self.does(lambda asterisk, channel: asterisk.tell("ChannelUnhold", channel), after_s)

    def mutes(self, after_s: float = 1.0) -> Self:
        """Sends no packet from now on, but answers what its device is asked."""
        return self.does(lambda asterisk, channel: channel.is_silent(True), after_s)

    def unmutes(self, after_s: float = 1.0) -> Self:
        """Sends packets again."""
        return self.does(lambda asterisk, channel: channel.is_silent(False), after_s)

    def dies(self, after_s: float = 1.0) -> Self:
        """Loses its power: no packet comes from it, and it answers nothing."""
        return self.mutes(after_s).does(lambda asterisk, channel: setattr(channel, "is_dead", True))

    def hangs_up(self, after_s: float = 0.0) -> Self:
        """Hangs up."""
        return self.does(lambda asterisk, channel: asterisk.end(channel, NORMAL), after_s)

    def vanishes(self, after_s: float = 0.0) -> Self:
        """Loses the network, without a hangup."""
        return self.does(lambda asterisk, channel: asterisk.end(channel, OUT_OF_ORDER), after_s)

    async def take_part(self, asterisk: Asterisk, channel: Channel) -> None:
        """Does its actions on this channel, until the channel is gone."""
        acts = self._acts[min(len(self.channels), len(self._acts) - 1)]
        self.channels.append(channel)
        done = 0
        while channel.cause is None:
            if done == len(acts):
                self._more.clear()
                await self._more.wait()
                continue
            after_s, act = acts[done]
            await asyncio.sleep(after_s)
            if channel.cause is None:
                act(asterisk, channel)
            done += 1


class Caller(_Person):
    """A caller."""


class Phone(_Person):
    """An agent's phone. It rings as soon as it is called, until it answers or the caller side gives up."""

    def __init__(self, rings_after_s: float = 0.1) -> None:
        super().__init__()
        self.rings_after_s = rings_after_s
        self.is_known = True  # False: Asterisk has no such endpoint
        self.has_early_media = False  # rings with 183, and never sends 180

    @property
    def times_rung(self) -> int:
        """How many times it was called."""
        return len(self.channels)

    @property
    def causes(self) -> list[int | None]:
        """The Q.850 cause with which each call to it ended; None: the call has not ended."""
        return [channel.cause for channel in self.channels]

    def answers(self, after_s: float = 2.0) -> Self:
        """Answers."""
        return self.does(lambda asterisk, channel: asterisk.pick_up(channel), after_s)

    def answers_soundlessly(self, goes_to: str | None = None, after_s: float = 2.0) -> Self:
        """Answers in a way in which it can hear nothing, see `Channel.audio_goes_to`."""
        return self.does(
            lambda asterisk, channel: setattr(channel, "audio_goes_to", goes_to), after_s
        ).answers(after_s=0)

    def answers_without_sdp(self, after_s: float = 2.0) -> Self:
        """Answers without audio in the SDP: Asterisk reports the answer, and ends the channel at once."""
        return self.answers(after_s).does(lambda asterisk, channel: asterisk.end(channel, 127, 406))

    def accepts(self, after_s: float = 2.0) -> Self:
        """Answers, and presses 1 a second later."""
        return self.answers(after_s).presses("1")

    def transfers(self, to: str, after_s: float = 5.0) -> Self:
        """Asks for a transfer of its call (REFER) to the user of an address."""
        return self.does(lambda asterisk, channel: asterisk.refer(channel, to), after_s)

    def is_busy(self) -> Self:
        """Answers busy."""
        return self.refuses(BUSY)

    def forwards(self, to: str = "", after_s: float = 0.5, cause: int = 23, status: int | None = 302) -> Self:
        """Redirects the call with 302. `to` is empty when the response has no address.

        Asterisk may end the channel before it knows why: `cause` is 0 then, and `status` None."""

        def act(asterisk: Asterisk, channel: Channel) -> None:
            asterisk.dialled(channel, "CANCEL" if to else "NOANSWER", to)
            asterisk.end(channel, cause, status)

        return self.does(act, after_s)

    def refuses(self, cause: int = REJECTED, after_s: float = 0.5) -> Self:
        """Rejects the call with a Q.850 cause."""
        return self.does(lambda asterisk, channel: asterisk.end(channel, cause), after_s)
