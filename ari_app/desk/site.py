"""Where an exchange lives, for the use cases that need more than its database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from ari_app.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """An exchange's database, the settings that say where its files and its Asterisk are, and the time (ms)."""

    settings: Settings
    engine: Engine
    now: Callable[[], int]
