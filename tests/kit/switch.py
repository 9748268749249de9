"""A switch put together for tests: as `wiring` does it, but for what a test brings of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from ari_app.domain.calls.geo import Geography
from ari_app.store.calls.calls import Settlement
from ari_app.store.calls.journal import Journal
from ari_app.store.calls.spool import Spool
from ari_app.store.calls.writer import Writer
from ari_app.switch.app import Switch

NOWHERE = Geography({}, {})
"""For who is not judged by a place."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A switch that has loaded nothing yet, and who writes for it."""

    switch: Switch
    writer: Any
    journal: Journal


def assembled(
    engine: Engine, home: Path, tables: Geography = NOWHERE, *, writer: Any = None, on_saved: Any = None
) -> Assembly:
    """The parts of a switch whose journal and spool are in `home`.

    `writer` is used in place of a real one. `on_saved` hears what is in the database, after the journal has.
    """
    journal = Journal(home / "journal")

    def saved(batch: Sequence[Settlement]) -> None:
        journal.settled(batch)
        if on_saved is not None:
            on_saved(batch)

    writer = writer or Writer(engine, Spool(home / "spool"), gather_s=0.001, on_saved=saved)
    return Assembly(Switch(engine, writer, journal, tables), writer, journal)
