"""What the switch remembers of callers: when they last dialled, when they were last connected."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from ari_app.domain.qualification import EarlierCall

REDIALS_KEPT = 10_000


class Callers:
    """The memory behind rapid redial and repeat callers. `look_back` fills it from the store.

    Redials are bounded by number, connected callers by the longest window any campaign asks for.
    """

    def __init__(self) -> None:
        self.window_ms = 0
        self._dialled: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._connected: OrderedDict[tuple[str, str], EarlierCall] = OrderedDict()  # oldest first

    def dialled(self, did: str, ani: str | None, at: int) -> int | None:
        """Notes a call to a number; when the same caller dialled it before (ms), or None."""
        if ani is None:
            return None
        before = self._dialled.pop((did, ani), None)
        self._dialled[did, ani] = at
        if len(self._dialled) > REDIALS_KEPT:
            self._dialled.popitem(last=False)
        return before

    def connected(self, campaign: str, ani: str | None, call_id: str, at: int) -> EarlierCall | None:
        """Notes that a caller was connected; the connected call before it, or None."""
        if ani is None:
            return None
        before = self._connected.pop((campaign, ani), None)
        self._connected[campaign, ani] = EarlierCall(call_id, at)
        self._forget_before(at - self.window_ms)
        return None if before is not None and before.call_id == call_id else before

    def look_back(self, window_ms: int, known: Iterable[tuple[str, str, EarlierCall]]) -> None:
        """Remembers for `window_ms` from now on. `known`: campaign, caller and call, the oldest first.

        What was seen since is newer than what the store knows, and stays.
        """
        seen = self._connected
        self.window_ms = window_ms
        self._connected = OrderedDict()
        for campaign, ani, call in known:
            self._connected.pop((campaign, ani), None)
            self._connected[campaign, ani] = call
        for caller, call in seen.items():
            self._connected.pop(caller, None)
            self._connected[caller] = call

    def _forget_before(self, at: int) -> None:
        """No campaign's window reaches so far back."""
        while self._connected:
            caller, oldest = next(iter(self._connected.items()))
            if oldest.connected_at >= at:
                return
            del self._connected[caller]
