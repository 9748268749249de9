"""Programs' keys: all of one but its secret."""

from __future__ import annotations

from typing import Any

from ari_app.domain.basics.apikeys import ApiKey
from ari_app.domain.basics.clock import iso

COLUMNS = {
    "id": "id",
    "party": "party",
    "purpose": "purpose",
    "scopes": "scopes",
    "expires at": "expires_at",
    "last used at": "last_used_at",
    "revoked at": "revoked_at",
}


def key_json(key: ApiKey) -> dict[str, Any]:
    """A key as JSON."""
    return {
        "id": key.id,
        "party": key.party,
        "purpose": key.purpose,
        "scopes": list(key.scopes),
        "created_at": iso(key.created_at),
        "created_by": key.created_by,
        "expires_at": iso(key.expires_at),
        "revoked_at": iso(key.revoked_at),
        "last_used_at": iso(key.last_used_at),
    }
