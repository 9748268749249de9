"""The differences of two marketplaces, in words: what `plan` shows is what `apply` does and tells.

Values are written as in the document: an amount is `42.00`, a duration `90s`. A field that is left out has its
default, so it is no change to leave a field out or to write its default.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Literal

from ari_app.domain.document.reading import to_document
from ari_app.domain.market.marketplace import Marketplace

ChangeKind = Literal["added", "changed", "moved", "removed"]

# The parts of a document, in the order that they are told, and what each is called.
_PARTS = {
    "advertisers": "advertiser",
    "publishers": "publisher",
    "destinations": "destination",
    "flows": "flow",
    "campaigns": "campaign",
    "creatives": "creative",
    "numbers": "number",
    "trunks": "trunk",
}
_WHOLE = (
    "currency",
    "numbers_policy",
    "screen",
    "geography",
)  # what a document says of the whole marketplace
_SHOWN = 5  # names in one line


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, such as `route.waves[1].after`; None: the field is not given."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one object. A number that gets another campaign or publisher is `moved`."""

    kind: ChangeKind
    what: str
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """A campaign's terms version before (None: it has none in force) and after."""

    before: int | None
    after: int
    is_new: bool


def changes(before: Marketplace | None, after: Marketplace, terms: Mapping[str, Terms]) -> list[Change]:
    """Every difference, object by object; empty exactly when both marketplaces say the same.

    `terms` are those of the campaigns of `after`.
    """
    old, new = _document(before) if before else _Value({}, {}), _document(after)
    found = list(_of_object("marketplace", "", old.only(*_WHOLE), new.only(*_WHOLE)))
    for part, what in _PARTS.items():
        olds, news = old.get(part) or _Value({}, {}), new.get(part) or _Value({}, {})
        for name in _keys(olds, news):
            step = terms.get(name) if what == "campaign" else None
            found += _of_object(what, name, olds.get(name), news.get(name), step)
    return found


def words(changes: Iterable[Change]) -> list[str]:
    """The changes as lines for people. Objects that change in the same way share a line."""
    alike: dict[tuple[str, ChangeKind, tuple[str, ...]], list[str]] = {}
    for change in changes:
        said = () if change.kind == "removed" else tuple(_field_words(change))
        alike.setdefault((change.what, change.kind, said), []).append(change.name)
    lines = []
    for (what, kind, said), names in alike.items():
        subject = f"{what}{'s' if len(names) > 1 else ''} {listed(names)}".strip()
        if kind == "added":
            lines.append(f"{subject} added: {'; '.join(said)}")
        else:
            lines += [f"{subject} {kind}", *(f"  {line}" for line in said)]
    return lines


@dataclass(frozen=True, slots=True)
class _Value:
    """A part of a document, with its defaults and (None: it is one itself) without them."""

    full: Any
    brief: Any

    @property
    def told(self) -> Any:
        return self.full if self.brief is None else self.brief

    def get(self, key: str) -> _Value | None:
        return _Value(self.full[key], (self.brief or {}).get(key)) if key in self.full else None

    def items(self) -> list[_Value]:
        return [_Value(*pair) for pair in zip_longest(self.full, self.brief or ())]

    def only(self, *keys: str) -> _Value | None:
        full, brief = ({key: side[key] for key in keys if key in side} for side in (self.full, self.brief))
        return _Value(full, brief) if full else None


def _document(marketplace: Marketplace) -> _Value:
    return _Value(to_document(marketplace), to_document(marketplace, defaults=False))


def _keys(old: _Value, new: _Value) -> list[str]:
    return list({**new.full, **old.full})


# Finding


def _of_object(
    what: str, name: str, old: _Value | None, new: _Value | None, terms: Terms | None = None
) -> Iterator[Change]:
    if old is None and new is not None:
        added = [Field(key, None, value) for key, value in new.told.items()]
        yield Change("added", what, name, (*added, *_terms_field(terms)))
    elif new is None and old is not None:
        yield Change("removed", what, name, tuple(Field(key, value, None) for key, value in old.told.items()))
    elif old is not None and new is not None:
        fields = (*_fields("", old, new), *_terms_field(terms))
        if fields:
            is_moved = what == "number" and any(field.path in ("campaign", "publisher") for field in fields)
            yield Change("moved" if is_moved else "changed", what, name, fields)


def _terms_field(terms: Terms | None) -> Iterator[Field]:
    if terms is not None and terms.before != terms.after:
        before = None if terms.before is None else f"version {terms.before}"
        yield Field(
            "terms", before, f"version {terms.after} ({'new' if terms.is_new else 'as it was before'})"
        )


def _fields(path: str, old: _Value | None, new: _Value | None) -> Iterator[Field]:
    """The fields that differ, as deep as both sides have them."""
    if old is None or new is None:
        yield Field(path, old and old.told, new and new.told)
    elif old.full == new.full:
        return
    elif isinstance(old.full, Mapping) and isinstance(new.full, Mapping):
        for key in _keys(old, new):
            yield from _fields(f"{path}.{key}".removeprefix("."), old.get(key), new.get(key))
    elif _holds_mappings(old.full) or _holds_mappings(new.full):
        yield from _items(path, old.items(), new.items())
    else:
        yield Field(path, old.told, new.told)


def _items(path: str, old: Sequence[_Value], new: Sequence[_Value]) -> Iterator[Field]:
    """The items that differ. Those that stay are found first, so an item put before them is one change."""
    before, after = ([json.dumps(item.full, sort_keys=True) for item in side] for side in (old, new))
    for kind, i, i_end, j, j_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            for n, (a, b) in enumerate(zip_longest(old[i:i_end], new[j:j_end])):
                yield from _fields(f"{path}[{(i if b is None else j) + n}]", a, b)


def _holds_mappings(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping) for item in value)


# Telling


def _field_words(change: Change) -> Iterator[str]:
    for field in change.fields:
        if change.kind == "added":
            yield f"{field.path} {_inner(field.path, field.after)}"
        elif isinstance(field.before, list) and isinstance(field.after, list):
            yield f"{field.path}: {_list_words(field.before, field.after)}"
        elif field.before is None:
            yield f"{field.path} added: {_shown(field.path, field.after)}"
        elif field.after is None:
            yield f"{field.path} removed: {_shown(field.path, field.before)}"
        else:
            yield f"{field.path}: {_shown(field.path, field.before)} -> {_shown(field.path, field.after)}"


def _list_words(before: list[str], after: list[str]) -> str:
    old, new = set(before), set(after)
    kinds = {
        "added": [item for item in after if item not in old],
        "removed": [item for item in before if item not in new],
    }
    said = [f"{listed(items)} {kind}" for kind, items in kinds.items() if items]
    return "; ".join(said) or f"{', '.join(before)} -> {', '.join(after)}"


def _shown(key: str, value: Any) -> str:
    """A value on one line. A flow's nodes are shown by name only: `callrace flow check` shows the rest."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case Mapping() if key == "nodes":
            return listed(list(value))
        case Mapping():
            return "; ".join(f"{name} {_inner(name, inner)}" for name, inner in value.items())
        case str() if key == "html":
            return " ".join(value.split())
        case list() if _holds_mappings(value):
            return ", ".join(f"({_shown(key, item)})" for item in value)
        case list():
            return listed(value)
        case _:
            return str(value)


def _inner(key: str, value: Any) -> str:
    shown = _shown(key, value)
    return f"({shown})" if isinstance(value, Mapping) and len(value) > 1 else shown


def listed(names: Sequence[str]) -> str:
    """The first of the names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
