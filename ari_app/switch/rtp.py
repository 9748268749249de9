"""Reads Asterisk's RTP statistics of a channel: from a variable at its end, or from the answer to a request.

For Asterisk, `rx` is what came from the party and `tx` is what went to it. The two jitters are the other way round:
`txjitter` was measured by Asterisk, `rxjitter` was reported by the party's RTCP.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.domain.routing.lifesigns import Packets

# The lost packets are the expected ones minus the received ones, unsigned: after duplicates it is just below this.
_WRAPS_AT = 2**32


def packets(text: str) -> Packets | None:
    """Reads, of the same text, what came from the party. None: it cannot be read.

    What the party reports by RTCP changes with nearly each report: the round trip is in microseconds.
    """
    said = _fields(text)
    try:
        return Packets(int(said["rxcount"]), f"{said['rtt']} {said['rxjitter']} {said['rlp']}")
    except (KeyError, ValueError):
        return None


def of_variable(text: str) -> RtpStatistics | None:
    """Reads RTPAUDIOQOS: "ssrc=1;lp=0;txjitter=0.000125;rxcount=102;...". None: it cannot be read."""
    return _read(_fields(text), "lp", "rlp")


def of_answer(answer: Mapping[str, object]) -> RtpStatistics | None:
    """Reads ARI's RTPstat. None: it cannot be read."""
    return _read(answer, "rxploss", "txploss")


def _read(said: Mapping[str, object], received_lost: str, sent_lost: str) -> RtpStatistics | None:
    names = ("rxcount", received_lost, "txcount", sent_lost, "txjitter", "rtt")
    try:
        numbers = [float(str(said[name])) for name in names]
    except (KeyError, ValueError):
        return None
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        return None
    received, lost, sent, unheard, jitter_s, round_trip_s = numbers
    if not received and not sent:
        return None
    return RtpStatistics(
        int(received),
        _lost(lost),
        int(sent),
        _lost(unheard),
        jitter_ms=round(jitter_s * 1000),
        round_trip_ms=round(round_trip_s * 1000),
    )


def _fields(text: str) -> dict[str, str]:
    fields = (field.partition("=") for field in text.split(";"))
    return {name: value for name, _, value in fields}


def _lost(count: float) -> int:
    return 0 if count >= _WRAPS_AT / 2 else int(count)
