"""The stage of a call under way, and the roles in a call. A table has a row for each stage: what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from ari_app.domain.calls.record import Disposition

Role = Literal["caller", "agent", "transferee"]
"""Who somebody is in a call."""

Fate = Literal["talking", "transferring", "again", "over"]
"""What a new switch does with a call: watches its conversation to the end, rings the transferee for whom the caller
waits, serves the caller again, or settles it."""

Phase = Literal["arriving", "ivr", "race", "connected", "ending"]
"""How operators see a stage."""


class Stage(Enum):
    """A call's stage. The value is how the journal has it."""

    ARRIVING = "arriving"  # not answered: whose it is, and whether it is taken
    IVR = "ivr"  # answered: the caller is in the flow
    WAITING = "waiting"  # offered to agents
    BRIDGING = "bridging"  # awarded to one agent; caller and agent do not hear each other yet
    TALKING = "talking"  # they hear each other; or they did, and no other agent has the call
    ENDING = "ending"  # its end is decided; the caller is told


@dataclass(frozen=True, slots=True)
class Row:
    """What follows from a stage.

    `left_as`: the disposition to record if the caller hangs up now; None: the one that the record already has.
    `restart`: what a restart does with a caller who is there and talks to nobody; see `recovery.fate`.
    """

    phase: Phase
    left_as: Disposition | None
    restart: Fate


ROWS: dict[Stage, Row] = {
    Stage.ARRIVING: Row("arriving", "abandoned_ivr", "again"),
    Stage.IVR: Row("ivr", "abandoned_ivr", "again"),
    Stage.WAITING: Row("race", "abandoned_queue", "again"),
    Stage.BRIDGING: Row("race", "abandoned_queue", "again"),
    Stage.TALKING: Row("connected", "connected", "over"),
    Stage.ENDING: Row("ending", None, "again"),
}
