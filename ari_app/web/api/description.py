"""The API's description (OpenAPI 3.1): FastAPI's, with what FastAPI cannot know.

What an answer looks like is in docs/json.md and docs/record.md, and nowhere else: the description's schemas are made of
their tables. A route says in its docstring which noun it answers with (`Bill`, `list of Bill`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ari_app.access.deeds import DEEDS
from ari_app.settings import REPOSITORY

Schema = dict[str, Any]

_PAGES = ("json.md", "record.md")
_RECORD = "Call"
_NOUN = re.compile(r"`(list of )?([A-Z]\w+)`")
_TYPES: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "id": {"type": "string"},
    "phone number": {"type": "string", "pattern": r"^\+[1-9]\d{6,14}$"},
    "amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    "time": {"type": "string", "format": "date-time"},
    "true or false": {"type": "boolean"},
    "whole number": {"type": "integer"},
    "number": {"type": "number"},
    "null": {"type": "null"},
    "any": {},
}
_PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "The page that has the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and what to do."},
        "code": {"type": "string", "description": "For programs; see /api/v1/problems."},
        "instance": {"type": "string", "description": "The request's id, by which it is in the log."},
    },
}
_NAME: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The request's own name: under it, it is done once, and its answer is told again for a day.",
}
_KNOWN: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "schema": {"type": "string"},
    "description": "The ETag of what was seen, or *.",
}


def described(app: FastAPI, routes: list[APIRoute]) -> Schema:
    """The whole description. `routes`: those that are in it."""
    found: Schema = FastAPI.openapi(app)
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= {**nouns(), "Problem": _PROBLEM}
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    found["security"] = [{"key": []}]
    for route in routes:
        for method in route.methods or ():
            _complete(found["paths"][route.path_format][method.lower()], route, method)
    return found


def use_case_of(dependant: Dependant) -> str:
    """The use case that a route asks by. Raises StopIteration for a route without one."""
    return next(_use_cases(dependant))


def _use_cases(dependant: Dependant) -> Iterator[str]:
    own = getattr(dependant.call, "use_case", None)
    if own is not None:
        yield own
    for inner in dependant.dependencies:
        yield from _use_cases(inner)


def _complete(operation: Schema, route: APIRoute, method: str) -> None:
    """Adds what the route wants, and how it answers, to its part of the description."""
    use_case = use_case_of(route.dependant)
    operation["x-use-case"], operation["x-scope"] = use_case, DEEDS[use_case].scope
    wants = {"POST": _NAME, "PATCH": _KNOWN, "DELETE": _KNOWN}.get(method)
    if wants is not None and not route.path.endswith("/plan"):
        operation.setdefault("parameters", []).append(wants)
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "It is refused, or failed.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if (said := _NOUN.search(operation.get("description", ""))) is not None:
        status = str(route.status_code or 200)
        operation["responses"][status] = _answer(said[2], is_list=said[1] is not None)


def _answer(noun: str, *, is_list: bool) -> Schema:
    one = {"$ref": f"#/components/schemas/{noun}"}
    if not is_list:
        return {"description": noun, "content": {"application/json": {"schema": one}}}
    page = {
        "type": "object",
        "required": ["data", "next", "more"],
        "properties": {
            "data": {"type": "array", "items": one},
            "next": {"type": ["string", "null"], "description": "Where to go on, as `cursor`."},
            "more": {"type": "boolean", "description": "Something is there already."},
        },
    }
    content = {"application/json": {"schema": page}, "text/csv": {"schema": {"type": "string"}}}
    return {"description": f"A list of {noun}", "content": content}


@cache
def nouns() -> dict[str, Schema]:
    """The schema of each noun that is documented. A field that a party may not see is absent, so none is required."""
    found: dict[str, Schema] = {}
    for page in _PAGES:
        text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
        for chapter in text.split("\n## ")[1:]:
            heading = chapter.partition("\n")[0]
            rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| (.*) \|$", chapter, re.MULTILINE)
            if "\n| Field | Type |" in chapter and (page == "json.md" or heading == _RECORD):
                found[heading] = _object({path: (kind.strip(), about) for path, kind, about in rows})
    return found


def _object(rows: Mapping[str, tuple[str, str]]) -> Schema:
    """An object from its fields' paths: those of an inner object come after a dot."""
    properties = {}
    for path, (kind, about) in rows.items():
        if re.fullmatch(r"\w+", path):
            inner = {
                other.removeprefix(path).removeprefix("[]").removeprefix("."): row
                for other, row in rows.items()
                if other.startswith((f"{path}.", f"{path}[]."))
            }
            properties[path] = _schema(kind, inner) | ({"description": about} if about else {})
    return {"type": "object", "properties": properties}


def _schema(kind: str, inner: Mapping[str, tuple[str, str]]) -> Schema:
    """The schema of a type, in the documentation's words."""
    options = [one for one in re.split(" or (?!false)", kind) if one != "absent"]
    if len(options) > 1:
        return {"anyOf": [_schema(one, inner) for one in options]}
    [only] = options
    if only.startswith("list of "):
        return {"type": "array", "items": _schema(only[8:], inner)}
    if only.startswith("mapping to "):
        return {"type": "object", "additionalProperties": _schema(only[11:], inner)}
    if only == "object":
        return _object(inner)
    return dict(_TYPES[only]) if only in _TYPES else {"$ref": f"#/components/schemas/{only}"}
