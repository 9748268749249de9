"""Addresses in SIP headers: From, To, P-Asserted-Identity (RFC 3261, 20.10; `tel:` is RFC 3966), as carriers send them.

What cannot be read is an address without a user. Nothing here raises: a header is the caller's to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Address:
    """`user`: the part before the @, or a tel number, unescaped and without parameters, which are `parameters`.

    `verstat` and `phone-context` are such parameters, their names in lower case. `header_parameters` are the header's
    own, behind the address.
    """

    user: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    header_parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def context(self) -> str:
        """RFC 3966's phone-context: what a number that is not global is to be read behind; empty: nothing."""
        return self.parameters.get("phone-context", "")


def addresses(value: str) -> Iterator[Address]:
    """The addresses in one header: several are divided by commas."""
    yield from map(_address, _split(value) if "," in value else (value,))


def user_of(request: str) -> Address:
    """The address whose user part, with its parameters, is `request`: that of a request line."""
    user, *parameters = request.split(";")
    return Address(unquote(user).strip(), _parameters(parameters))


def _split(value: str) -> Iterator[str]:
    """At commas that stand neither between quotes nor between angle brackets."""
    begins, is_quoted, is_escaped, depth = 0, False, False, 0
    for at, character in enumerate(value):
        if is_escaped:
            is_escaped = False
        elif is_quoted:
            is_escaped, is_quoted = character == "\\", character != '"'
        elif character == '"':
            is_quoted = True
        elif character in "<>":
            depth = int(character == "<")
        elif character == "," and not depth:
            yield value[begins:at]
            begins = at + 1
    yield value[begins:]


def _address(text: str) -> Address:
    uri, _, behind = _without_name(text).partition(">")
    scheme, _, rest = uri.strip().partition(":")
    if scheme.lower() not in ("sip", "sips", "tel"):
        return Address()
    if scheme.lower() != "tel":
        rest, at, _ = rest.partition("@")
        rest = rest if at else ""
    user = user_of(rest)
    number = user.user if scheme.lower() == "tel" else user.user.partition(":")[0]  # a password, of old
    return Address(number, user.parameters, _parameters(behind.split(";")[1:]))


def _without_name(text: str) -> str:
    """What is behind the opening bracket; without one, all of it: an address that has no display name."""
    text = text.strip()
    if text.startswith('"'):
        end = 1
        while end < len(text) and text[end] != '"':
            end += 2 if text[end] == "\\" else 1
        text = text[end + 1 :]
    before, bracket, behind = text.partition("<")
    return behind if bracket else before


def _parameters(texts: list[str]) -> dict[str, str]:
    pairs = (text.partition("=") for text in texts)
    return {name.strip().lower(): unquote(value).strip().strip('"') for name, _, value in pairs}
