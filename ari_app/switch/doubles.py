"""What comes in as a call and is none of its own: one that was delivered before, or a leg of ours that came back.

A call delivered by two addresses, or as two branches, has one Call-ID and one From tag (RFC 3261, 8.2.2.2: merged
requests). A leg says whose it is in a header of ours (`legs.LEG_OF`): where a destination leads to a tracking number,
it comes back with it. The dialplan tells both, the former as a digest.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ari_app.ari.events import StasisStart
from ari_app.switch.inhand import CALLS_AT_ONCE, InHand
from ari_app.switch.session import Session

_KEPT = 5 * CALLS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Double:
    """The call that it belongs to, None where that is over; and why it is none of its own."""

    of: Session | None
    why: str


class Doubles:
    """The deliveries of calls that were taken, as far as they are under way or were answered; the last _KEPT."""

    def __init__(self, in_hand: InHand) -> None:
        self._in_hand = in_hand
        self._taken: OrderedDict[str, tuple[str, str]] = OrderedDict()  # the channel's and the call's id

    def find(self, start: StasisStart) -> Double | None:
        """Why this is no call of its own, or None."""
        leg_of, delivery = _told(start)
        if leg_of and (session := self._session(leg_of)) is not None:
            return Double(
                session, f"a leg of it came back as a call to {start.args[1]}; a destination leads there"
            )
        channel_id, call_id = self._taken.get(delivery, (start.channel_id, ""))
        if channel_id == start.channel_id:
            return None
        return Double(
            self._session(call_id), "delivered once more, by another way: the same Call-ID and From tag"
        )

    def taken(self, start: StasisStart, call_id: str) -> None:
        """The call is taken: what is delivered so from now on is this one."""
        _, delivery = _told(start)
        if delivery:
            self._taken[delivery] = start.channel_id, call_id
            if len(self._taken) > _KEPT:
                self._taken.popitem(last=False)

    def over(self, start: StasisStart, was_answered: bool) -> None:
        """The call is over. One that was not answered may be tried again, with the same Call-ID (RFC 3261, 8.1.3.5)."""
        _, delivery = _told(start)
        if not was_answered and self._taken.get(delivery, ("", ""))[0] == start.channel_id:
            del self._taken[delivery]

    def _session(self, call_id: str) -> Session | None:
        return next((one for one in self._in_hand.sessions.values() if one.record.id == call_id), None)


def _told(start: StasisStart) -> tuple[str, str]:
    """The call that it is a leg of, and its delivery, each empty where nothing is told."""
    _, _, _, _, leg_of, delivery = (*start.args, "", "", "", "", "", "")[:6]
    return leg_of, delivery
