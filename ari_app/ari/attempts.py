"""Attempts to connect that we gave up, and that Asterisk may still carry out.

An Asterisk that is far behind works off connections that we have left long ago. Each becomes the application's, and
Asterisk says of our newer one that it was replaced (ApplicationReplaced), as it does when another instance comes.
"""

from __future__ import annotations

import math
import time

from ari_app.ari.errors import AriUnavailable

LATE_S = 60.0


class Attempts:
    """What became of one application's attempts."""

    def __init__(self) -> None:
        self._failed_at = -math.inf

    def failed(self) -> None:
        """One was given up now."""
        self._failed_at = time.monotonic()

    def replaced(self) -> None:
        """We were replaced. Raises AriUnavailable where one of them may have done that, and no other instance."""
        if time.monotonic() - self._failed_at < LATE_S:
            raise AriUnavailable("replaced by an attempt of our own to connect, that Asterisk was late with")
