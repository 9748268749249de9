"""Registered phones as Asterisk sees them: an agent on a call that Callrace does not control is not rung."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from ari_app.domain.routing.snapshot import Snapshot
from ari_app.serving.protocols import Capacity

# Asterisk's device states in which a phone is not free.
BUSY = frozenset({"INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD"})


class Phones:
    """The state of each phone, and its effect on the destinations that ring the phone.

    One of our calls takes a place before the phone rings. So a phone that becomes busy while none of its places is
    taken is on a call that Callrace does not control.
    """

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._states: dict[str, str] = {}
        self._snapshot: Snapshot | None = None
        self._destinations: dict[str, list[str]] = {}

    def take_over(self, snapshot: Snapshot | None) -> None:
        """Takes over a new snapshot: its destinations say which phones they ring."""
        if snapshot is self._snapshot:
            return
        self._snapshot, self._destinations = snapshot, _by_phone(snapshot)
        busy = {
            name
            for phone, names in self._destinations.items()
            if self._states.get(phone) in BUSY
            for name in names
        }
        for name in self._capacity.elsewhere() - busy:
            self._capacity.set_elsewhere(name, False)

    def changed(self, phone: str, state: str) -> None:
        """Asterisk reports a phone's new device state."""
        self._states[phone] = state
        in_use = self._capacity.in_use()
        destinations = self._destinations.get(phone, ())
        is_elsewhere = state in BUSY and not any(name in in_use for name in destinations)
        for name in destinations:
            self._capacity.set_elsewhere(name, is_elsewhere)

    def forget(self) -> None:
        """Forgets all device states, as they may be wrong now: all phones may be rung."""
        self._states.clear()
        for name in self._capacity.elsewhere():
            self._capacity.set_elsewhere(name, False)

    def states(self) -> Mapping[str, str]:
        """The known device state of each of Asterisk's phones and trunks."""
        return self._states

    def counts(self) -> dict[str, int]:
        """How many phones are in each state; only phones that destinations ring."""
        return dict(Counter(self._states.get(phone, "UNKNOWN") for phone in self._destinations))


def _by_phone(snapshot: Snapshot | None) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, destination in (snapshot.marketplace.destinations if snapshot else {}).items():
        if destination.dial.extension is not None:
            found[destination.dial.extension].append(name)
    return dict(found)
