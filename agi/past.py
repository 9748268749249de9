"""What was in force when calls began, read from the database once for all calls of a file.

It is for ended calls only: what was in force then does not change any more.
"""

from __future__ import annotations

from sqlalchemy import Engine

from ari_app.domain.numbers.applications import Step, suspended_at
from ari_app.domain.numbers.holdings import Assignment
from ari_app.store.market import applications, marketplaces, numbers
from ari_app.store.market.marketplaces import InForce

LIMIT = 10_000  # how many numbers, or publishers of campaigns, are remembered


class Past:
    """Moments are in ms. Each question raises DatabaseUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._assignments: dict[str, list[Assignment]] = {}
        self._steps: dict[tuple[str, str], list[Step]] = {}
        self._in_force: InForce | None = None

    def assigned(self, did: str, at: int) -> Assignment | None:
        """The assignment of a number at this time; None when it was nobody's."""
        if did not in self._assignments:
            _make_room(self._assignments)
            self._assignments[did] = numbers.history(self._engine, did)
        return numbers.assigned_at(self._assignments[did], at)

    def version(self, at: int) -> int | None:
        """The version of the marketplace in force at this time; None when there was none."""
        if self._in_force is None or not self._in_force.covers(at):
            self._in_force = marketplaces.in_force_at(self._engine, at)
        return self._in_force.version if self._in_force is not None else None

    def suspended(self, campaign: str, publisher: str, at: int) -> str | None:
        """Why a publisher was suspended from a campaign at this time; None when it was not."""
        both = campaign, publisher
        if both not in self._steps:
            _make_room(self._steps)
            self._steps[both] = applications.steps_of(self._engine, campaign, publisher)
        return suspended_at(self._steps[both], at)


def _make_room(remembered: dict[str, list[Assignment]] | dict[tuple[str, str], list[Step]]) -> None:
    if len(remembered) >= LIMIT:
        remembered.clear()
