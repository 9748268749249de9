"""The audio side of one SIPp process: a UDP socket shared by its calls, one Stream a call."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque

from ari_app.lab.sipp import rtp

Address = tuple[str, int]
KEPT_FRAMES = 500  # ten seconds of received audio for each call
PRESS_MS = 100
GAP_MS = 60


class Media(asyncio.DatagramProtocol):
    """The RTP socket named in our SDP. A packet belongs to the call with its source address, or is dropped."""

    def __init__(self) -> None:
        self._streams: dict[Address, Stream] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    async def open(self) -> None:
        """Bind a free port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        """Free the port."""
        if self._transport:
            self._transport.close()

    def stream(self, far_end: Address, tone: bytes) -> Stream:
        """A new stream to and from `far_end`; our side sends `tone` when it talks."""
        assert self._transport, "Media.open() comes first"
        stream = self._streams[far_end] = Stream(self._transport, far_end, tone)
        return stream

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Called by asyncio for each packet."""
        if stream := self._streams.get(addr):
            stream.received(data)


class Stream:
    """One call's audio: the tone and digits that we send, and what we hear."""

    def __init__(self, transport: asyncio.DatagramTransport, far_end: Address, tone: bytes) -> None:
        self._transport = transport
        self._far_end = far_end
        self._tone = tone
        self._ssrc = random.getrandbits(32)
        self._sequence = random.getrandbits(15)
        self._born = time.monotonic()
        self._heard: deque[bytes] = deque(maxlen=KEPT_FRAMES)
        self.packets_heard = 0

    def received(self, datagram: bytes) -> None:
        """Handle one packet from the far end."""
        if (frame := rtp.audio_of(datagram)) is not None:
            self.packets_heard += 1
            self._heard.append(frame)

    def heard_ms(self, hz: int) -> int:
        """Milliseconds of a tone of `hz` in the last ten seconds of audio that arrived."""
        return sum(rtp.FRAME_MS for frame in self._heard if rtp.has_tone(frame, hz))

    def sound_ms(self) -> int:
        """Milliseconds of anything but silence in the last ten seconds of audio that arrived."""
        return sum(rtp.FRAME_MS for frame in self._heard if not rtp.SILENCE.issuperset(frame))

    async def press(self, digits: str, press_ms: int = PRESS_MS, gap_ms: int = GAP_MS) -> None:
        """Send key presses as RFC 4733 events. Asterisk reports a digit at its end."""
        for digit in digits:
            payloads = rtp.digit_payloads(digit, press_ms)
            started, at = self._now(), time.monotonic()
            held = len(payloads) - 2  # the two repeated end packets follow without a pause
            for n, payload in enumerate(payloads):
                self._send(rtp.TELEPHONE_EVENT, payload, started, mark=n == 0)
                if n + 1 < held:
                    await _until(at + (n + 1) * rtp.FRAME_MS / 1000)
            await asyncio.sleep(gap_ms / 1000)

    async def talk(self, ms: int | None = None) -> None:
        """Send the tone for `ms` milliseconds; if None, until cancelled."""
        start, n, size = time.monotonic(), 0, rtp.FRAME_MS * rtp.SAMPLES_PER_MS
        while ms is None or n * rtp.FRAME_MS < ms:
            at = n * size % len(self._tone)
            self._send(rtp.PCMU, self._tone[at : at + size], self._now(), mark=n == 0)
            n += 1
            await _until(start + n * rtp.FRAME_MS / 1000)

    def _now(self) -> int:
        """Samples since the stream began: the common clock of audio and digits."""
        return int((time.monotonic() - self._born) * 1000 * rtp.SAMPLES_PER_MS)

    def _send(self, payload_type: int, payload: bytes, timestamp: int, *, mark: bool) -> None:
        self._sequence += 1
        self._transport.sendto(
            rtp.packet(payload_type, self._sequence, timestamp, self._ssrc, payload, mark), self._far_end
        )


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
