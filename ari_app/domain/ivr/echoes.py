"""Keys that Asterisk tells twice: which of them was pressed, and which is the second report of it.

Asterisk makes a digit at least DIGIT_MS long, and leaves GAP_MS between two (`ast_read`: AST_MIN_DTMF_DURATION,
AST_MIN_DTMF_GAP). One that comes closer to the one before is told when it comes, is then drawn out by Asterisk itself,
and holds up those that come meanwhile: each of these is told at once, and again when its turn has come. So a machine
that dials 10023 with 50 ms on and 40 ms off is heard as 1, 0, 0, 0, 2, 2, 3, 3. A gap of 46 ms, and so whatever a
person presses, is told once.
"""

from __future__ import annotations

from collections import deque

DIGIT_MS = 80
GAP_MS = 45
EARLY_MS = (
    20  # by so much a report may come before it is expected, as the clock of the packets is not Asterisk's,
)
LATE_MS = 60  # and by so much after it: Asterisk looks at a channel once a frame


class Echoes:
    """What one caller's reports say, in the order in which they come. Times are milliseconds on one clock."""

    def __init__(self) -> None:
        self._last_at: int | None = None  # when a key was pressed last
        self._last: str = ""
        self._busy_until = 0  # until then Asterisk draws a digit out
        self._waiting: deque[str] = deque(maxlen=64)  # told once, and to be told again

    def is_echo(self, digit: str, at: int, duration_ms: int) -> bool:
        """Whether this report, of a key that was released `at`, is the second one of a key that was told before."""
        if self._is_due(digit, at) or self._is_too_soon(digit, at, duration_ms):
            if self._waiting:
                self._waiting.popleft()
            self._busy_until = at + DIGIT_MS + GAP_MS
            return True
        if at > self._busy_until + LATE_MS:
            self._waiting.clear()
        if at < self._busy_until:
            self._waiting.append(digit)
        elif self._last_at is not None and at - self._last_at - duration_ms < GAP_MS:
            self._busy_until = at + DIGIT_MS + GAP_MS
        self._last, self._last_at = digit, at
        return False

    def _is_due(self, digit: str, at: int) -> bool:
        is_awaited = bool(self._waiting) and self._waiting[0] == digit
        return is_awaited and -EARLY_MS <= at - self._busy_until <= LATE_MS

    def _is_too_soon(self, digit: str, at: int, duration_ms: int) -> bool:
        """Nobody can have held the key again for so long since it was released. Those of one burst are believed."""
        since_ms = None if self._last_at is None else at - self._last_at
        return (
            since_ms is not None and digit == self._last and EARLY_MS <= since_ms < min(duration_ms, GAP_MS)
        )
