"""Signs of life: whether the line of somebody who talks still lives, and until when it certainly did. Pure.

A line lives while packets come from it, RTP or RTCP. One from which nothing comes may be on hold, mute or dead, so it
is asked, by a request in its dialog that every SIP device has to answer (RFC 3261, 12.2.2). Asterisk hangs up on one
that answers nothing, or that answers that there is no such call. So whoever is there ANSWERED_MS later has answered.

    dies ── 4 to 6 s ──> asked ── 6.4 s ──> BYE ── 6.4 s ──> ended by Asterisk; the conversation counts until it died
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LOOK_EVERY_MS = 4_000
LOOK_AGAIN_MS = 1_500  # while somebody was not heard of late
HEARD_MS = 2_000  # of late
SILENT_MS = 4_000
# From one RTCP report to the next it is 2 to 6.2 s (RFC 3550, 6.3.1): who lives by them is not asked.
REPORTS_END_MS = 6_500
# Asterisk waits for an answer for 6.4 s (timer_b in pjsip.conf). Then it sends BYE, and waits for that answer, too.
# A line is not asked again meanwhile: Asterisk would send that, too, although it has given the call up.
ANSWERED_MS = 15_000
FRAME_MS = 20  # of audio in a packet, as nearly all devices send it

# How Asterisk tells that a line was dead: nobody answered, or no such call was known there (SIP); its own time-out for
# lines without packets (Q.850).
NOBODY_THERE = (408, 481)
NO_PACKETS = 44


@dataclass(frozen=True, slots=True)
class Packets:
    """What has come from a line so far: RTP packets, and a text that is another one after each RTCP report."""

    received: int
    reported: str = ""


@dataclass(slots=True)
class LifeSigns:
    """The signs of life of one line. Times in ms.

    `alive_at`: until when it certainly lived. `packet_at`: when its last RTP packet came, to within some hundredths of
    a second; None: none has come since it is looked at. `asked_at`: when it was asked what it has not answered yet.
    """

    alive_at: int
    packet_at: int | None = None
    asked_at: int | None = None
    _lives_by_reports: bool = False
    _looked_at: int = 0
    _packets: Packets | None = None

    def look(self, found: Packets, now: int) -> bool:
        """Takes in what has come until now; returns whether the line is to be asked. The first look only compares."""
        before, looked_at = self._packets, self._looked_at
        self._packets, self._looked_at = found, now
        if self.asked_at is not None and now - self.asked_at >= ANSWERED_MS:
            self.alive_at, self.asked_at = max(self.alive_at, self.asked_at), None
        if before is None:
            return False
        if found != before:
            self._heard(found.received - before.received, looked_at, now)
        is_silent = now - self.alive_at >= (REPORTS_END_MS if self._lives_by_reports else SILENT_MS)
        if not is_silent or self.asked_at is not None:
            return False
        self.asked_at = now
        return True

    def _heard(self, new: int, looked_at: int, now: int) -> None:
        """So many new packets have come since `looked_at`; 0: a report has, which may have been at any moment."""
        at = now
        if new > 0:
            at = self.packet_at = min(looked_at + new * FRAME_MS, now)
        self._lives_by_reports = new == 0
        self.alive_at = max(self.alive_at, at)
        self.asked_at = None

    @property
    def is_looked_at(self) -> bool:
        """Whether `alive_at` is worth anything."""
        return self._packets is not None

    def not_asked(self) -> None:
        """The question could not be sent."""
        self.asked_at = None


@dataclass(slots=True)
class LineUnderWay:
    """What the next switch must know of a party's line. Times in ms.

    `silent_since`: until when it lived, while it is asked; None: it is not asked. `held_ms`: for how long it had the
    other on hold, and `held_since` when it has now.
    """

    silent_since: int | None = None
    held_ms: int = 0
    held_since: int | None = None

    def hold(self, at: int) -> None:
        """It puts the other on hold."""
        self.held_since = at if self.held_since is None else self.held_since

    def unhold(self, at: int) -> None:
        """It takes the other off hold."""
        self.held_ms, self.held_since = self.held(at), None

    def held(self, at: int) -> int:
        """For how long it had the other on hold until then (ms)."""
        return self.held_ms + (max(at - self.held_since, 0) if self.held_since is not None else 0)


def next_look(lines: Iterable[LifeSigns], now: int) -> int:
    """When to look at the lines of a conversation again (ms)."""
    is_heard = all(now - line.alive_at < HEARD_MS for line in lines)
    return now + (LOOK_EVERY_MS if is_heard else LOOK_AGAIN_MS)


def was_dead(cause: int | None, sip_status: int | None) -> bool:
    """Whether a channel ended because nobody was there any more: by its Q.850 cause and its SIP status."""
    return sip_status in NOBODY_THERE or cause == NO_PACKETS
