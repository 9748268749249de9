"""RTP statistics of a party's channel, and an estimate of how the party sounded.

The estimate is the E-model of ITU-T G.107 for G.711, as Cole and Rosenbluth reduced it ("Voice over IP performance
monitoring", ACM SIGCOMM CCR 31, 2001): all but delay and loss is at G.107's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

BEST = 93.2  # R of a line without delay and loss: G.107's defaults
MOST_LOSS_COSTS = 95.0
LOSS_WITHSTOOD = 25.1  # Bpl of G.711 whose listener conceals lost packets, in percent: G.113, appendix I
FRAME_MS = 20
HEARD_AS_DELAY_MS = 177.3  # from here on two begin to talk at once


@dataclass(frozen=True, slots=True)
class RtpStatistics:
    """RTP statistics of one party, from its answer to its end: packets `received` from it and `sent` to it.

    `received_lost` and `jitter_ms` (RFC 3550, 6.4.1; the last value) are measured by Asterisk. It counts losses when it
    sends an RTCP report, every 5 s, so losses after the last report are missing. `sent_lost` and `round_trip_ms` come
    from the party's RTCP; both are 0 for a phone that sends none.
    """

    received: int
    received_lost: int
    sent: int
    sent_lost: int
    jitter_ms: int = 0
    round_trip_ms: int = 0

    @property
    def lost_share(self) -> float:
        """Of the packets that it sent, how many were lost on the way here: 0 to 1."""
        all_sent = self.received + self.received_lost
        return self.received_lost / all_sent if all_sent else 0.0

    @property
    def mos(self) -> float | None:
        """Estimated mean opinion score of what the party said, from 1 (bad) to 4.4; None: nothing came from it."""
        if not self.received:
            return None
        # A listener's buffer holds back about twice the jitter.
        delay_ms = self.round_trip_ms / 2 + 2 * self.jitter_ms + FRAME_MS
        return estimated_mos(delay_ms, 100 * self.lost_share)


def estimated_mos(delay_ms: float, lost_percent: float) -> float:
    """The mean opinion score that a G.711 line is likely to get, to a hundredth: 1.0 to 4.4.

    `delay_ms` is from mouth to ear, `lost_percent` of the packets are lost one by one.
    """
    too_late_ms = max(delay_ms - HEARD_AS_DELAY_MS, 0.0)
    delay_costs = 0.024 * delay_ms + 0.11 * too_late_ms
    loss_costs = MOST_LOSS_COSTS * lost_percent / (lost_percent + LOSS_WITHSTOOD)
    rating = BEST - delay_costs - loss_costs
    if rating <= 0:
        return 1.0
    return max(round(1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6, 2), 1.0)
