"""What a leg's INVITE says of its call: whose number it shows, who vouches for it, and headers that operators choose.

Callers decide some of it (answers, by what they press) and carriers some; a SIP header ends at a line's end. So
numbers are E.164 or nothing, and every other value is percent-encoded (RFC 3986): letters, digits and `-._~` stay,
all else is `%` and two digits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from ari_app.domain.basics.fields import PHONE_NUMBER
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.market.shapes import Told

LONGEST_VALUE = 256
"""Characters of a header's value, escapes counted: an INVITE is to fit into a datagram."""


@dataclass(frozen=True, slots=True)
class Invite:
    """`shows`: the caller's number in From, E.164; None: withheld. `is_private`: From is to be the anonymous one of
    RFC 3323. `headers`: further ones, by their names, values without anything that SIP takes for its own.
    """

    shows: str | None
    is_private: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def invite(record: CallRecord, trunk: Trunk | None, told: Collection[Told]) -> Invite:
    """The INVITE of a leg of the call, by a trunk or (None) straight to a phone. `told`: the headers to send."""
    rules = trunk or Trunk()
    shows = _number(rules.caller_id, record)
    headers = _headers(record, told)
    if rules.identity is None:
        return Invite(shows, False, headers)
    asserted = _number(rules.identity, record)
    if asserted is not None:
        headers["P-Asserted-Identity"] = (
            f"<tel:{asserted}>"  # RFC 3325: a tel URI, which no domain is wanted for
        )
    if shows is None:
        headers["Privacy"] = "id"
    return Invite(shows, shows is None, headers)


def _number(choice: str, record: CallRecord) -> str | None:
    """The number that a trunk's setting means; None where it is withheld, or is no telephone number."""
    number = {"own": record.did, "pass": record.ani}.get(choice, choice)
    return number if number is not None and PHONE_NUMBER.fullmatch(number) else None


def _headers(record: CallRecord, told: Collection[Told]) -> dict[str, str]:
    """Those that have something to say. A value that is too long is left out whole: half of one would mislead."""
    values = ((name, value_of(record)) for name, value_of in _VALUES.items() if name in told)
    return {
        f"X-Callrace-{name.capitalize()}": value for name, value in values if 0 < len(value) <= LONGEST_VALUE
    }


def _answers(answers: Mapping[str, str]) -> str:
    """`service=repair;zip=10001`: in the order in which they were given, as many as there is room for."""
    said = ""
    for name, value in answers.items():
        more = f"{said};{quote(name, safe='')}={quote(value, safe='')}".lstrip(";")
        if len(more) <= LONGEST_VALUE:
            said = more
    return said


_VALUES: Mapping[Told, Callable[[CallRecord], str]] = {
    "call": lambda record: quote(record.id, safe=""),
    "campaign": lambda record: quote(record.campaign or "", safe=""),
    "source": lambda record: quote(record.source or "", safe=""),
    "zip": lambda record: quote(record.place.zip or "", safe=""),
    "answers": lambda record: _answers(record.answers),
}
