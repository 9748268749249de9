"""A marketplace as a document: YAML text that people write, JSON values that the store keeps.

Each mistake is told in one line, with file, line, path, what was expected and what was
there. If there is any, nothing of the document is used.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import is_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ari_app.domain.basics.errors import MAX_FINDINGS, DocumentError
from ari_app.domain.basics.yamltext import Complaint, FieldPath, Position, YamlError, dotted, positions, read
from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.checks import check
from ari_app.domain.document.world import World, did_you_mean
from ari_app.domain.market.marketplace import Creative, Marketplace

_MARKETPLACE = TypeAdapter(Marketplace)
_EXPECTED = {
    "string_type": "expected text",
    "dataclass_type": "expected a mapping",
    "mapping_type": "expected a mapping",
    "dict_type": "expected a mapping",
    "tuple_type": "expected a list",
    "frozen_set_type": "expected a list",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
}
_LONGEST_SHOWN = 60


def parse(
    text: str,
    file: str,
    *,
    prompts: Callable[[str], str | None] | None = None,
    trunks: Collection[str] | None = None,
    images: Callable[[Creative], str | None] | None = None,
    geography: Geography | None = None,
) -> Marketplace:
    """The marketplace that the YAML text declares; `file` is its name in the findings.

    `prompts` answers with a complaint about a prompt that cannot be played, or None; `trunks` are
    those that exist; `images` answers with a complaint about a creative's image, or None; `geography`
    knows the ZIP codes. Each is checked only where it is given.
    Raises DocumentError.
    """
    try:
        data, complaints = read(text)
    except YamlError as error:
        raise DocumentError([f"{file}:{error.line}: {error}"]) from error
    if complaints:
        raise _error(complaints, text, file)
    try:
        marketplace = from_document(data)
    except ValidationError as error:
        raise _error(_translated(error, text), text, file) from error
    complaints = list(check(marketplace, World(prompts, trunks, images, geography)))
    if complaints:
        raise _error(complaints, text, file)
    return marketplace


def accept(document: Any, world: World) -> Marketplace:
    """The marketplace that the values declare, checked as `parse` checks a text.

    Raises DocumentError; its findings name paths, as there are no lines.
    """
    try:
        marketplace = from_document(document)
        complaints = list(check(marketplace, world))
    except ValidationError as error:
        complaints = [_complaint(details, {}) for details in error.errors(include_url=False)]
        raise DocumentError([_said(complaint) for complaint in complaints[:MAX_FINDINGS]]) from error
    if complaints:
        raise DocumentError([_said(complaint) for complaint in complaints[:MAX_FINDINGS]])
    return marketplace


def to_document(marketplace: Marketplace, *, defaults: bool = True) -> dict[str, Any]:
    """The marketplace as values for JSON and YAML; equal marketplaces give equal documents.

    Without `defaults`, fields that have their default are left out.
    """
    context = {"currency": marketplace.currency}
    document: dict[str, Any] = _MARKETPLACE.dump_python(
        marketplace,
        mode="json",
        by_alias=True,
        exclude_none=True,
        exclude_defaults=not defaults,
        context=context,
    )
    return document


def from_document(document: Any) -> Marketplace:
    """The marketplace that `to_document` wrote. Raises pydantic's ValidationError for anything else."""
    currency = document.get("currency") if isinstance(document, Mapping) else None
    return _MARKETPLACE.validate_python(document, context={"currency": str(currency)})


def _error(complaints: list[Complaint], text: str, file: str) -> DocumentError:
    shown = complaints[:MAX_FINDINGS]
    places = positions(text, [complaint.path for complaint in shown])
    findings = [_finding(complaint, places, file) for complaint in shown]
    if len(complaints) > len(shown):
        findings.append(f"{file}: and {len(complaints) - len(shown)} more")
    return DocumentError(findings)


def _finding(complaint: Complaint, places: Mapping[FieldPath, Position], file: str) -> str:
    line = complaint.line or _line(complaint.path, places)
    return f"{file}:{line}: {_said(complaint)}"


def _said(complaint: Complaint) -> str:
    where = f"{dotted(complaint.path)}: " if complaint.path else ""
    return _on_one_line(where + complaint.message)


def _on_one_line(text: str) -> str:
    """Escapes characters that break lines or move a terminal's cursor: a document may contain them."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _line(path: FieldPath, places: Mapping[FieldPath, Position]) -> int:
    """The line of the value; for a missing value, the line of the object that lacks it."""
    while path and path not in places:
        path = path[:-1]
    return places[path].line if path in places else 1


# pydantic's errors in plain words


def _translated(error: ValidationError, text: str) -> list[Complaint]:
    errors = error.errors(include_url=False)
    places = positions(text, [_path(details) for details in errors[:MAX_FINDINGS]])
    return [_complaint(details, places) for details in errors]


def _path(details: ErrorDetails) -> FieldPath:
    """The path of the mistake, without the words in brackets that pydantic and we add (a key, a tag of a union)."""
    return tuple(part for part in details["loc"] if not str(part).startswith("["))


def _complaint(details: ErrorDetails, places: Mapping[FieldPath, Position]) -> Complaint:
    path = _path(details)
    kind = details["type"]
    if kind == "missing":
        return Complaint(path, "this field is required")
    if kind == "unexpected_keyword_argument":
        known = _fields_at(path[:-1])
        return Complaint(path, f"unknown field '{path[-1]}'{did_you_mean(str(path[-1]), known)}")
    position = places.get(path)
    return Complaint(path, f"{_expected(details)}, got {_shown(details['input'], position)}")


def _expected(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return f"expected {context['expected']}".replace("'", "").replace("True", "true")
        case kind:
            return _EXPECTED.get(kind, details["msg"])


def _shown(value: object, position: Position | None) -> str:
    """What was in the document: text in quotes, anything else as it was written."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f'"{value[:_LONGEST_SHOWN]}{"..." if len(value) > _LONGEST_SHOWN else ""}"'
        case _:
            return position.text if position and position.text else str(value)


def _fields_at(path: FieldPath) -> list[str]:
    """The field names allowed in a mapping at this path; empty where the document chooses the names."""
    kind: Any = Marketplace
    for part in path:
        kind = (
            _fields(kind)[str(part)] if is_dataclass(kind) else get_args(kind)[_VALUE_TYPE[get_origin(kind)]]
        )
        kind = _record_of(kind)
    return list(_fields(kind)) if is_dataclass(kind) else []  # the path goes below an empty name


def _record_of(kind: Any) -> Any:
    """The record in a union (a record or nothing, a bare value or a record); any other type as it is."""
    if get_origin(kind) is Annotated:
        return _record_of(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        kinds = [_record_of(one) for one in get_args(kind)]
        return next(filter(is_dataclass, kinds), kinds[0])
    return kind


# Which of the arguments of Mapping[Key, Value] and tuple[Value, ...] is the value's type.
_VALUE_TYPE: dict[Any, int] = {Mapping: 1, tuple: 0}


def _fields(kind: Any) -> dict[str, Any]:
    """A record's fields as a document writes them, and their types."""
    return {info.alias or name: info.annotation for name, info in kind.__pydantic_fields__.items()}
