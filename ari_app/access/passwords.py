"""Passwords: which are good enough, and their hashes (argon2id, RFC 9106).

One hash takes 19 MiB and some 30 ms, as OWASP's Password Storage Cheat Sheet asks at least. Two are made at a time, so
that a flood of sign-ins does not take all memory.
"""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12
LONGEST = 256
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE = threading.BoundedSemaphore(2)


def complaint(password: str, *known: str) -> str | None:
    """Why a password is not good enough; None: it is. `known`: what a guesser tries first, as the person's name."""
    if len(password) < SHORTEST:
        return f"expected at least {SHORTEST} characters, got {len(password)}"
    if len(password) > LONGEST:
        return f"expected at most {LONGEST} characters, got {len(password)}"
    if not is_text(password):
        return "it is not text: half of a surrogate pair is in it"
    if len(set(password.lower())) < 5:
        return "expected at least five different characters"
    if any(len(word) > 3 and password.lower() in (word.lower(), word.lower() * 2) for word in known):
        return "expected something that nobody can guess from the name or the address"
    return None


def hashed(password: str) -> str:
    """The password's hash, with its salt and parameters."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def matches(hash_: str | None, password: str) -> bool:
    """Whether it is the password of this hash. It takes as long where there is no hash, and says no."""
    if len(password) > LONGEST or not is_text(password):
        return False
    with _AT_ONCE:
        try:
            return _HASHER.verify(hash_ or _nobodys(), password) and hash_ is not None
        except (VerificationError, InvalidHashError):
            return False


def is_text(password: str) -> bool:
    """Whether it can be written as UTF-8."""
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
