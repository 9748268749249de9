"""Why the demo cannot be played."""

from __future__ import annotations


class CannotPlay(Exception):
    """Something prevents the demo; the message says what, and what to do about it."""


class SwitchServes(CannotPlay):
    """Another switch serves the Asterisk that the demo's own switch needs."""
