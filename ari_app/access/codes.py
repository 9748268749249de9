"""Secrets that are handed out: tokens of links and sessions, codes of an authenticator (RFC 6238), recovery codes."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import pyotp

STEP_MS = 30_000
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_SECRET = re.compile(r"[A-Z2-7]{32}")


def token() -> str:
    """A new token of 256 bits, for a link or a cookie."""
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of a token or of a recovery code. Neither can be guessed, so no slow hash is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def totp_secret() -> str:
    """A new secret for an authenticator: 160 bits in base32."""
    return pyotp.random_base32()


def is_totp_secret(text: str) -> bool:
    """Whether it is one of those secrets."""
    return _SECRET.fullmatch(text) is not None


def totp_uri(secret: str, email: str, exchange: str) -> str:
    """What an authenticator reads from the QR code."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=exchange))


def totp_step(secret: str, code: str, now: int) -> int | None:
    """The time step of which this is the code: now's, the one before or the one after; None: it is none of them."""
    said, totp, at = "".join(code.split()), pyotp.TOTP(secret), now // STEP_MS
    for step in (at, at - 1, at + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), said.encode("utf-8", "surrogatepass")):
            return step
    return None


def recovery_codes() -> list[str]:
    """New recovery codes of 50 bits, such as `k3m9x-qw8rt`."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in "ab")
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> str:
    """What is kept of a recovery code, however it is written."""
    return hash_of("".join(code.lower().replace("-", "").split()))
