"""What Asterisk says of a channel's RTP, read: as a variable at its end, or as the answer to a request.

In Asterisk's words `rx` is what came from the party and `tx` what went to it. Its two jitters are the other way round:
`txjitter` was measured here, `rxjitter` is what the party's RTCP told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ari_app.domain.calls.rtp import RtpStatistics

# Lost is what was expected less what came, unsigned: where packets came twice it is just under this.
_WRAPS_AT = 2**32


def of_variable(text: str) -> RtpStatistics | None:
    """RTPAUDIOQOS: "ssrc=1;lp=0;txjitter=0.000125;rxcount=102;...". None: it says nothing that can be read."""
    return _read(dict(field.partition("=")[::2] for field in text.split(";")), "lp", "rlp")


def of_answer(answer: Mapping[str, object]) -> RtpStatistics | None:
    """ARI's RTPstat. None: it says nothing that can be read."""
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


def _lost(count: float) -> int:
    return 0 if count >= _WRAPS_AT / 2 else int(count)
