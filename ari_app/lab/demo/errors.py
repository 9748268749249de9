"""Why the demo cannot be played."""

from __future__ import annotations


class CannotPlay(Exception):
    """Something is in the way; the message says what, and what to do about it."""


class SwitchServes(CannotPlay):
    """A switch serves the Asterisk that the demo's own switch would take."""
