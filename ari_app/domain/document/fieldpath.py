"""`route.ring_timeout=20s`: names a field of a document by its path, and the value (YAML) to set."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from ari_app.domain.basics.yamltext import YamlError, read

_LONGEST_SHOWN = 60
_STEP = re.compile(r"\.?([A-Za-z0-9][\w-]*)|\[(\d{1,4})\]", re.ASCII)


class AssignmentError(ValueError):
    """The assignment is not possible in this document; the message says why."""


def assign(document: dict[str, Any], text: str) -> None:
    """Sets the field that the text names. An empty value or `null` removes the field.

    A list's item is `waves[0]`; one past the last adds one. An amount may go without quotes: 45.00.
    Raises AssignmentError.
    """
    path, equals, value = text.partition("=")
    steps = _steps(path)
    if not equals or not steps:
        raise AssignmentError(
            f"expected FIELD=VALUE such as price=45.00 or route.ring_timeout=20s, got {text[:_LONGEST_SHOWN]!r}"
        )
    holder: Any = document
    for step, following in pairwise(steps):
        holder = _child(holder, step, path, default=[] if isinstance(following, int) else {})
    _set(holder, steps[-1], _value(value, path), path)


def _steps(path: str) -> list[str | int]:
    """The keys and list indexes of a path; empty where the text is no path."""
    matches = list(_STEP.finditer(path))
    if "".join(match[0] for match in matches) != path or path.startswith("."):
        return []
    return [match[1] if match[2] is None else int(match[2]) for match in matches]


def _value(text: str, path: str) -> Any:
    try:
        value, complaints = read(text)
    except YamlError as error:
        raise AssignmentError(f"{path}: {error}") from error
    if complaints:
        raise AssignmentError(f"{path}: {complaints[0].message}")
    return text.strip() if isinstance(value, float) else value


def _child(holder: Any, step: str | int, path: str, default: Any) -> Any:
    """The value in the holder at this step; where there is none, the default is put there."""
    if isinstance(step, int):
        _require_list(holder, step, path)
        if step == len(holder):
            holder.append(default)
        return holder[step]
    _require_mapping(holder, step, path)
    return holder.setdefault(step, default)


def _set(holder: Any, step: str | int, value: Any, path: str) -> None:
    if isinstance(step, int):
        _require_list(holder, step, path)
        holder[step : step + 1] = [] if value is None else [value]
        return
    _require_mapping(holder, step, path)
    if value is None:
        holder.pop(step, None)
    else:
        holder[step] = value


def _require_list(holder: Any, index: int, path: str) -> None:
    if not isinstance(holder, list) or index > len(holder):
        has = f"has {len(holder)} items" if isinstance(holder, list) else "is no list"
        raise AssignmentError(f"{path}: there is no [{index}]; what it is looked for in {has}")


def _require_mapping(holder: Any, key: str, path: str) -> None:
    if not isinstance(holder, dict):
        raise AssignmentError(f"{path}: there is no field {key}, as what it is looked for in is no mapping")
