"""A JSON merge patch (RFC 7396): what an edit says of a document, and nothing of the rest."""

from __future__ import annotations

from typing import Any


def patched(document: Any, patch: Any) -> Any:
    """The document after the patch: fields are set, those that are null are gone, objects are patched in turn."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = patched(merged.get(name), value)
    return merged
