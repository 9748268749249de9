"""Attempts to connect that we gave up, but that Asterisk may still carry out.

An overloaded Asterisk accepts connections that we gave up long ago. Such a connection takes over the application, and
Asterisk sends ApplicationReplaced on our newer connection, exactly as when another instance connects.
"""

from __future__ import annotations

import math
import time

from ari_app.ari.errors import AriUnavailable

LATE_S = 60.0


class Attempts:
    """The attempts of one application that were given up."""

    def __init__(self) -> None:
        self._failed_at = -math.inf

    def failed(self) -> None:
        """An attempt was given up now."""
        self._failed_at = time.monotonic()

    def replaced(self) -> None:
        """ApplicationReplaced has arrived. Raises AriUnavailable when one of our own attempts may be the reason."""
        if time.monotonic() - self._failed_at < LATE_S:
            raise AriUnavailable("replaced by an attempt of our own to connect, that Asterisk was late with")
