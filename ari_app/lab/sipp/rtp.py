"""G.711 mu-law audio and RFC 4733 digits as RTP packets. It works on bytes only, without sockets."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

SAMPLES_PER_MS = 8
FRAME_MS = 20
SILENCE = frozenset({0x7E, 0x7F, 0xFE, 0xFF})  # G.711 mu-law, within one step of zero
PCMU = 0
TELEPHONE_EVENT = 101  # the payload type that Asterisk itself offers, so callers and agents can use the same

_DIGITS = "0123456789*#ABCD"
_END_PACKETS = 3  # RFC 4733, 2.5.1.4: the end of an event is sent three times
_VOLUME = 10  # -10 dBm0


def packet(payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, mark: bool) -> bytes:
    """One RTP packet. `timestamp` is in samples (8 a millisecond)."""
    second = payload_type | (0x80 if mark else 0)
    header = struct.pack("!BBHII", 0x80, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc & 0xFFFFFFFF)
    return header + payload


def audio_of(datagram: bytes) -> bytes | None:
    """The u-law payload of an RTP packet; None when it is something else (a digit, RTCP)."""
    if len(datagram) <= 12 or datagram[0] >> 6 != 2 or datagram[1] & 0x7F != PCMU:
        return None
    return datagram[12 + 4 * (datagram[0] & 0x0F) :]


def digit_payloads(digit: str, duration_ms: int) -> list[bytes]:
    """The payloads of one key press: one every FRAME_MS; the last three are its end. Raises ValueError."""
    code = _DIGITS.index(digit.upper())
    frames = max(1, duration_ms // FRAME_MS)
    held = [struct.pack("!BBH", code, _VOLUME, n * FRAME_MS * SAMPLES_PER_MS) for n in range(1, frames + 1)]
    end = struct.pack("!BBH", code, 0x80 | _VOLUME, frames * FRAME_MS * SAMPLES_PER_MS)
    return held + [end] * _END_PACKETS


def tone(hz: int) -> bytes:
    """One second of a tone in mu-law. As `hz` is a whole number, it can be repeated without a click."""
    return bytes(_encode(round(8000 * math.sin(2 * math.pi * hz * n / 8000))) for n in range(8000))


def has_tone(frame: bytes, hz: int) -> bool:
    """Whether a tone of `hz` makes up most of a u-law frame's energy."""
    return is_tone([_LINEAR[byte] for byte in frame], hz)


def is_tone(samples: Sequence[int], hz: int) -> bool:
    """Whether a tone of `hz` makes up most of the energy of 16-bit samples, 8 a millisecond (Goertzel)."""
    energy = sum(s * s for s in samples)
    if energy < len(samples) * 100 * 100:  # an amplitude of 100 in 32768 is silence
        return False
    turn = 2 * math.cos(2 * math.pi * hz / 8000)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = last * last + before * before - turn * last * before
    return 2 * power / (len(samples) * energy) > 0.5


def _encode(sample: int) -> int:
    """A 16-bit sample as u-law (ITU-T G.711)."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def _decode(byte: int) -> int:
    """A u-law byte as a 16-bit sample (ITU-T G.711)."""
    byte = ~byte & 0xFF
    magnitude = (((byte & 0x0F) << 3) + 132 << (byte >> 4 & 7)) - 132
    return -magnitude if byte & 0x80 else magnitude


_LINEAR = [_decode(byte) for byte in range(256)]
