"""Makes the marketplace from a stored document, piece by piece; pieces that did not change are kept as they are.

A document may have ten thousand destinations. To read it at once would keep the interpreter busy for a tenth of a
second, in any thread, and all calls would wait. So each destination, campaign, ... is read separately,
and one whose text did not change stays the same object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from ari_app.domain.document.reading import from_document
from ari_app.domain.market.marketplace import Marketplace, Number

_SPACE = re.compile(r"[ \t\r\n]+")
_decode = json.JSONDecoder().raw_decode
_SECTIONS = {
    name: TypeAdapter[Any](get_args(kind)[1])
    for name, kind in get_type_hints(Marketplace, include_extras=True).items()
    if get_origin(kind) is Mapping
}


@dataclass(frozen=True, slots=True)
class Assembled:
    """A marketplace without its numbers; the text of its pieces, by section and name; the values of the rest."""

    marketplace: Marketplace
    texts: Mapping[str, Mapping[str, str]] = field(repr=False)
    rest: Mapping[str, Any] = field(repr=False)

    def document(self, *sections: str) -> dict[str, Any]:
        """The document that it was made from, with only these sections."""
        values = {
            name: {key: _value(text) for key, text in self.texts.get(name, {}).items()} for name in sections
        }
        return {**self.rest, **values}


def assemble(text: str, before: Assembled | None = None) -> Assembled:
    """Makes the marketplace of `text`, a document as JSON. Pieces with the same text in `before` are reused.

    Raises ValueError, with the first of what is wrong.
    """
    rest, texts = _read(text)
    try:
        made = from_document(rest | {name: {} for name in _SECTIONS})
    except ValidationError as error:
        raise ValueError(what_is_wrong(error)) from error
    if before is not None and before.marketplace.currency != made.currency:
        before = None  # the same text means other amounts
    for name in _SECTIONS:
        _set(made, name, _section(name, texts.get(name, {}), before, made.currency))
    return Assembled(made, texts, rest)


def _section(
    name: str, texts: Mapping[str, str], before: Assembled | None, currency: str
) -> Mapping[str, Any]:
    known: Mapping[str, Any] = getattr(before.marketplace, name) if before else {}
    same = before.texts.get(name, {}) if before else {}
    if texts == same:
        return known
    made = {}
    for key, text in texts.items():
        try:
            made[key] = known[key] if same.get(key) == text else _made(name, text, currency)
        except ValidationError as error:
            raise ValueError(what_is_wrong(error, name, key)) from error
    return made


def _made(section: str, text: str, currency: str) -> Any:
    return _SECTIONS[section].validate_python(_value(text), context={"currency": currency})


def what_is_wrong(error: ValueError | TypeError, *where: str) -> str:
    """The first mistake in a document, or in the part of it at `where`, in one line."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, (*where, *first['loc']))) or 'the document'}: {first['msg']}"


def _value(text: str) -> Any:
    return _decode(text)[0]


def with_numbers(marketplace: Marketplace, numbers: Mapping[str, Number]) -> Marketplace:
    """The same marketplace with other numbers. They are not checked: there may be fifty thousand."""
    other = copy(marketplace)
    _set(other, "numbers", numbers)
    return other


def _set(marketplace: Marketplace, name: str, value: Mapping[str, Any]) -> None:
    object.__setattr__(marketplace, name, value)  # of a record that nobody else has yet


def _read(text: str) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The values outside the sections; and by section, the text of each piece.

    No piece's value is kept: to free all of them at once would take as long as to read them at once.
    """
    rest: dict[str, Any] = {}
    texts: dict[str, dict[str, str]] = {}

    def member(name: str, at: int) -> int:
        if name not in _SECTIONS:
            rest[name], end = _decode(text, at)
            return end
        pieces = texts.setdefault(name, {})

        def piece(key: str, at: int) -> int:
            _, end = _decode(text, at)
            pieces[key] = text[at:end]
            return end

        return _walk(text, at, piece)

    _walk(text, 0, member)
    return rest, texts


def _walk(text: str, at: int, member: Callable[[str, int], int]) -> int:
    """Calls `member` with each name of the mapping at `at` and where its value begins; it returns where that ends."""
    at = _after_space(text, at)
    if text[at : at + 1] != "{":
        raise ValueError(f"expected a mapping at character {at}, got {text[at : at + 20]!r}")
    at = _after_space(text, at + 1)
    while text[at : at + 1] != "}":
        name, at = _decode(text, at)
        at = _after_space(text, _after_space(text, at) + 1)
        at = _after_space(text, member(name, at))
        if text[at : at + 1] == ",":
            at = _after_space(text, at + 1)
    return at + 1


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
