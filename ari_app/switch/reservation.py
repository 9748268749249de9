"""A call's reservation in caps and funds, and when the part of destinations that lost is given back."""

from __future__ import annotations

import asyncio

from ari_app.domain.caps.counters import Answer, wanted
from ari_app.serving.caps import Caps
from ari_app.switch.call import Call
from ari_app.switch.case import Case


class Reservation:
    """The reservation of one call. Saving the call's record ends it."""

    def __init__(self, call: Call, case: Case, caps: Caps) -> None:
        self._call = call
        self._case = case
        self._caps = caps
        self._holds_for_losers = False  # whether any destination that was rung has a cap
        self._release: asyncio.TimerHandle | None = None

    async def make(self, rung: list[str]) -> Answer:
        """Reserves room for the call. This is the only time that a call waits for the database."""
        call = self._call
        wish = wanted(call.record.id, self._case.market, self._case.whose, rung, call.now())
        answer = await self._caps.reserve(wish)
        self._holds_for_losers = any(wish.destinations.values())
        return answer

    def was_made(self, rung: list[str], connected_at: int, last_seen: int) -> None:
        """An earlier switch reserved, and was last seen at `last_seen` (ms); it may have died before it gave back."""
        is_given_back = last_seen >= connected_at + self._case.whose.campaign.route.reoffer_within
        has_caps = any(self._case.destination(name).caps for name in rung)
        self._holds_for_losers = has_caps and not is_given_back

    def connected(self, at: int) -> None:
        """Gives back the caps of destinations that lost, as soon as the call cannot be offered again."""
        self.close()
        if self._holds_for_losers:
            after_ms = at + self._case.whose.campaign.route.reoffer_within - self._call.now()
            self._release = asyncio.get_running_loop().call_later(after_ms / 1000, self._release_losers)

    def close(self) -> None:
        """From now on gives nothing back."""
        if self._release is not None:
            self._release.cancel()

    def _release_losers(self) -> None:
        record = self._call.record
        if record.winner is not None:  # None: the call is being offered again now
            self._caps.release_losers(record.id, record.winner)
