"""What every program that serves calls asks of Python."""

from __future__ import annotations

SWITCH_INTERVAL_S = 0.0005
"""How long another thread may keep the event loop of a program that serves calls waiting, instead of Python's 5 ms."""
