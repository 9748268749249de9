"""Incoming calls that are not new: a second delivery of the same call, or one of our own legs that came back.

A call that is delivered by two addresses, or as two branches, has the same Call-ID and From tag (RFC 3261, 8.2.2.2:
merged requests). A leg has its call's id in a header of ours (`legs.LEG_OF`): if a destination leads to a tracking
number, the leg comes back with this header. The dialplan passes on both, Call-ID and From tag as a digest.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ari_app.ari.events import StasisStart
from ari_app.domain.calls.carrier import called_number, invite_of
from ari_app.domain.market.marketplace import Trunk
from ari_app.switch.inhand import CALLS_AT_ONCE, InHand
from ari_app.switch.session import Session

_KEPT = 5 * CALLS_AT_ONCE


@dataclass(frozen=True, slots=True)
class Double:
    """The call that it belongs to (None if that call is over), and why it is not a new call."""

    of: Session | None
    why: str


class Doubles:
    """The deliveries of calls that are under way or were answered; the last _KEPT."""

    def __init__(self, in_hand: InHand) -> None:
        self._in_hand = in_hand
        self._taken: OrderedDict[str, tuple[str, str]] = OrderedDict()  # the channel's and the call's id

    def find(self, start: StasisStart) -> Double | None:
        """Why this is not a new call, or None."""
        leg_of, delivery = _identity(start)
        if leg_of and (session := self._session(leg_of)) is not None:
            return Double(
                session, f"a leg of it came back as a call to {_called(start)}; a destination leads there"
            )
        channel_id, call_id = self._taken.get(delivery, (start.channel_id, ""))
        if channel_id == start.channel_id:
            return None
        return Double(
            self._session(call_id), "delivered once more, by another way: the same Call-ID and From tag"
        )

    def taken(self, start: StasisStart, call_id: str) -> None:
        """A call is taken: from now on the same delivery is a second one."""
        _, delivery = _identity(start)
        if delivery:
            self._taken[delivery] = start.channel_id, call_id
            if len(self._taken) > _KEPT:
                self._taken.popitem(last=False)

    def over(self, start: StasisStart, was_answered: bool) -> None:
        """A call is over. If it was not answered, the same Call-ID may be tried again (RFC 3261, 8.1.3.5)."""
        _, delivery = _identity(start)
        if not was_answered and self._taken.get(delivery, ("", ""))[0] == start.channel_id:
            del self._taken[delivery]

    def _session(self, call_id: str) -> Session | None:
        return next((one for one in self._in_hand.sessions.values() if one.record.id == call_id), None)


def _identity(start: StasisStart) -> tuple[str, str]:
    """The id of the call whose leg it is, and its delivery; each is empty if the dialplan did not pass it on."""
    _, _, _, _, leg_of, delivery = (*start.args, "", "", "", "", "", "")[:6]
    return leg_of, delivery


def _called(start: StasisStart) -> str:
    invite = invite_of(start.args[6]) if len(start.args) > 6 else None
    number = start.args[1] if invite is None else called_number(invite, Trunk())
    return number or "a number of ours"
