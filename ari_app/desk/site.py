"""What every use case needs to know about its exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from ari_app.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """An exchange's database, its settings (where its files and its Asterisk are), and a clock (ms)."""

    settings: Settings
    engine: Engine
    now: Callable[[], int]
