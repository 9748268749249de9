"""A program's key: whose it is, what for, what it may do, and until when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret. `party`: `operator`, or such as `advertiser:acme`. Times are ms."""

    id: int
    party: str
    purpose: str
    scopes: tuple[str, ...]
    created_at: int
    created_by: str
    expires_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None
