"""What a carrier says of a call, and what we take from it: who was called, who calls, how far it answers for that.

The dialplan hands the INVITE over as it came (`invite_of`), and decides nothing. So the switch, the AGI server and the
lines that the dialplan writes of calls that it serves by itself come to the same numbers, by the trunk's rules
(`trunks.ENDPOINT`, docs/marketplace.md). Sources: RFC 3261, 3323, 3325, 3966, 4694 (npdi, rn), 7315
(P-Called-Party-ID), 5806 (Diversion), 7044 (History-Info); 3GPP TS 24.229, 7.2A.20 (verstat).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from ari_app.domain.calls import telephone
from ari_app.domain.calls.sipaddress import Address, addresses, user_of
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.market.attestation import attestation_of
from ari_app.domain.market.marketplace import Trunk
from ari_app.domain.market.shapes import Attestation

REQUEST = "request"  # where a called number stands that is in the request line
VERSTAT = "verstat"  # where an attestation stands that is a parameter of the caller's address
ATTESTATION_HEADER = "P-Attestation-Indicator"

UNREAD = frozenset({EventName.NUMBER_ELSEWHERE, EventName.ATTESTATION_ELSEWHERE})
"""What a record says of what a carrier sends and nobody reads."""

_OURS = frozenset({"request", "channel", "caller", "presentation"})  # fields that are no headers
_GUARD = "("  # what the dialplan puts before a value: see dialplan/callrace.conf
_MOST_FIELDS = 48
_LONGEST_TEXT = 200  # characters of a Diversion or History-Info that a record keeps
_MOST_TEXTS = 4
_HIDING = frozenset({"id", "user", "full"})  # RFC 3323 and 3325; "full" is Remote-Party-ID's
_IDENTITIES = ("P-Asserted-Identity", "Remote-Party-ID", "From")
_ELSEWHERE = ("To", "P-Called-Party-ID")
_ATTESTATIONS = (ATTESTATION_HEADER, "Attestation-Info")
_LEVEL = re.compile(r'"?(?:(?:attest(?:ation)?|verstat)=)?"?(?:TN-Validation-Passed-)?([ABC])"?', re.ASCII)
_PASSED = re.compile(r"(?:verstat=)?TN-Validation-Passed", re.ASCII)
_LIKE_AN_ATTESTATION = re.compile(r"attest|stir|shaken|verstat", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Invite:
    """An INVITE as the dialplan hands it over.

    `channel` is Asterisk's name of the caller's channel. `caller` and `presentation` are CALLERID(num) and
    CALLERID(num-pres), which a dialplan of somebody's own may have set. `headers` are names and values, in their order.
    """

    request: str = ""
    channel: str = ""
    caller: str = ""
    presentation: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def values(self, name: str) -> list[str]:
        """What every header of this name holds."""
        return self._by_name.get(name.lower(), [])

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found

    def addresses(self, name: str) -> list[Address]:
        """The addresses in every header of this name."""
        return [address for value in self.values(name) for address in addresses(value)]


@dataclass(frozen=True, slots=True)
class Signalled:
    """What the carrier told of a call, as far as we take it: numbers in E.164.

    `did` is empty where no telephone number stands where the trunk looks.
    """

    did: str = ""
    ani: str | None = None
    attestation: Attestation | None = None
    diversion: tuple[str, ...] = ()
    history_info: tuple[str, ...] = ()


def invite_of(text: str) -> Invite | None:
    """The INVITE that the dialplan wrote as a query string (`request=...&From=...`); None where there is none."""
    if not text:
        return None
    fields = []
    for field in text.split("&")[:_MOST_FIELDS]:
        name, _, value = field.partition("=")
        if value := value.lstrip(_GUARD):
            fields.append((name, unquote(value)))
    own = dict(reversed(fields))
    headers = tuple((name, value) for name, value in fields if name not in _OURS)
    return Invite(
        own.get("request", ""),
        own.get("channel", ""),
        own.get("caller", ""),
        own.get("presentation", ""),
        headers,
    )


def trunk_of(channel_name: str) -> str | None:
    """The PJSIP endpoint of a channel: `carrier` of `PJSIP/carrier-0000001a`; None for what is no SIP."""
    technology, _, rest = channel_name.partition("/")
    return rest.rpartition("-")[0] or None if technology == "PJSIP" else None


def signalled(invite: Invite, rules: Trunk) -> Signalled:
    """What we take from an INVITE, by the rules of the trunk that it came by."""
    return Signalled(
        called_number(invite, rules) or "",
        caller_number(invite),
        attestation(invite, rules),
        kept(invite, "Diversion"),
        kept(invite, "History-Info"),
    )


# Who was called


def called_number(invite: Invite, rules: Trunk) -> str | None:
    """The number called, in E.164: from where the trunk has it, its prefix taken off."""
    return next(_numbers_at(invite, rules.number_in, rules.prefix or ""), None)


def number_elsewhere(invite: Invite, rules: Trunk, is_known: Callable[[str], bool]) -> str | None:
    """Where in the INVITE a number stands that is known, if the trunk does not look there; None: nowhere."""
    others = {name for name, _ in invite.headers if name.lower().startswith("x-")}
    for place in (REQUEST, *_ELSEWHERE, *sorted(others)):
        if place.lower() == rules.number_in.lower():
            continue
        if any(map(is_known, _numbers_at(invite, place, rules.prefix or ""))):
            return place
    return _behind_a_prefix(invite, is_known)


def _numbers_at(invite: Invite, place: str, prefix: str) -> Iterator[str]:
    for address in _called_at(invite, place):
        written = address.user.removeprefix(prefix)
        number = telephone.e164(written, address.context)
        if number is not None:
            yield number


def _called_at(invite: Invite, place: str) -> Iterator[Address]:
    if place == REQUEST:
        yield user_of(invite.request)
        return
    for value in invite.values(place):
        in_brackets = list(addresses(value))
        yield from in_brackets if any(one.user for one in in_brackets) else [user_of(value)]


def _behind_a_prefix(invite: Invite, is_known: Callable[[str], bool]) -> str | None:
    """The prefix before a known number in the request line."""
    written = user_of(invite.request).user
    for length in range(1, min(len(written) - 6, 16)):
        number = telephone.e164(written[length:])
        if number is not None and is_known(number):
            return f"the request line, behind {written[:length]!r}"
    return None


# Who calls


def caller_number(invite: Invite) -> str | None:
    """The caller's number, in E.164; None where it is withheld, or is no telephone number."""
    if invite.presentation.startswith("prohib") or _HIDING & _privacy(invite):
        return None
    found = {name: invite.addresses(name) for name in _IDENTITIES}
    written = {address.user for ones in found.values() for address in ones}
    if (
        invite.caller and invite.caller not in written
    ):  # Asterisk took it from none of these: the dialplan set it
        return telephone.caller(invite.caller)
    asserted = next((ones for ones in found.values() if ones), [])
    if any(one.header_parameters.get("privacy", "").lower() in ("full", "uri") for one in asserted):
        return None
    numbers = (telephone.caller(one.user, one.context) for one in asserted)
    return next((number for number in numbers if number is not None), None)


def _privacy(invite: Invite) -> set[str]:
    texts = invite.values("Privacy")
    return {word.strip().lower() for text in texts for word in re.split(r"[;,]", text)}


# How far the carrier answers for the caller's number


def attestation(invite: Invite, rules: Trunk) -> Attestation | None:
    """The STIR/SHAKEN level that stands where the trunk has it."""
    return next(filter(None, map(_level, _attested_at(invite, rules.attestation_from))), None)


def unread_attestation(invite: Invite, rules: Trunk) -> str | None:
    """Where the carrier attests the caller's number, if the trunk does not look there; None: nowhere."""
    if _attested_at(invite, rules.attestation_from):
        return None
    others = sorted({name for name, _ in invite.headers if _LIKE_AN_ATTESTATION.search(name)})
    places = [VERSTAT, *_ATTESTATIONS, *(name for name in others if name not in _ATTESTATIONS)]
    return next((place for place in places if any(map(_level, _attested_at(invite, place)))), None)


def _attested_at(invite: Invite, place: str) -> list[str]:
    if place != VERSTAT:
        return invite.values(place)
    values = (value for name in _IDENTITIES for value in invite.values(name) if VERSTAT in value.lower())
    found = (address.parameters.get(VERSTAT) for value in values for address in addresses(value))
    return [text for text in found if text]


def _level(text: str) -> Attestation | None:
    """`A`, `attest=A`, `TN-Validation-Passed-A`; where a validation only passed, A. Failed, or none, is none."""
    text = text.strip()
    if _PASSED.fullmatch(text):
        return "A"
    found = _LEVEL.fullmatch(text)
    return attestation_of(found[1]) if found else None


# What a carrier sends that nobody reads


def unread(invite: Invite, rules: Trunk, is_known: Callable[[str], bool]) -> Iterator[tuple[EventName, str]]:
    """What a call's record says of what stands where its trunk does not look: an event, and where.

    `is_known`: whether a number is a tracking number.
    """
    trunk = trunk_of(invite.channel)
    if not is_known(called_number(invite, rules) or "") and (
        place := number_elsewhere(invite, rules, is_known)
    ):
        yield EventName.NUMBER_ELSEWHERE, f"{place}; trunks.{trunk}.number_in is {rules.number_in}"
    if place := unread_attestation(invite, rules):
        where = f"{place}; trunks.{trunk}.attestation_from is {rules.attestation_from}"
        yield EventName.ATTESTATION_ELSEWHERE, where


# How the call came here


def kept(invite: Invite | None, name: str) -> tuple[str, ...]:
    """What headers of this name say, as it was written but for what cannot be printed; of no INVITE nothing."""
    texts = invite.values(name)[:_MOST_TEXTS] if invite is not None else []
    return tuple("".join(filter(str.isprintable, text))[:_LONGEST_TEXT] for text in texts)
