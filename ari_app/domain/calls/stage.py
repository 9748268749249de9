"""Where a call under way is in its life, and who is in it: a row for each stage tells what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from ari_app.domain.calls.record import Disposition

Role = Literal["caller", "agent", "transferee"]
"""Who somebody is in a call."""

Fate = Literal["talking", "again", "over"]
"""What a restart of the switch does with a call: watches it on, serves it again, or settles it as it stands."""

Phase = Literal["arriving", "ivr", "race", "connected", "ending"]
"""How operators see a stage."""


class Stage(Enum):
    """A call's stage. The value is how the journal has it."""

    ARRIVING = "arriving"  # not answered: whose it is, and whether it is taken
    IVR = "ivr"  # answered: asked what they want
    WAITING = "waiting"  # offered to agents
    BRIDGING = "bridging"  # awarded to one; the two do not hear each other yet
    TALKING = "talking"  # they do; or they did, and no other agent has the call
    ENDING = "ending"  # how it ends is decided, and told to the caller


@dataclass(frozen=True, slots=True)
class Row:
    """What follows from a stage.

    `left_as`: what the call is recorded as when the caller hangs up now; None: as what is on record already.
    `restart`: what a restart does with a caller who is there, and whom nobody talks to; see `recovery.fate`.
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
