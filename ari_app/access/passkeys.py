"""Passkeys (https://www.w3.org/TR/webauthn-3/): what a browser is asked, and whether its answer holds.

A challenge carries its time and is signed by a key of the exchange, so nothing is kept of those that nobody answers. A
passkey has to have seen its owner (a fingerprint, a PIN), so it stands for password and code together.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANSWERED_MS = 5 * 60_000
"""How long a challenge may be answered."""
LARGEST = 16_384
_SIGNED = 24  # the bytes of a challenge that its signature is of: 8 of its time, 16 of chance


class NotAPasskey(ValueError):
    """The browser's answer does not hold; the message says why, for the log alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys hold: the host's name, and the address of our pages as browsers say it."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey: its id, its public key, and how often it says it was used."""

    id: str
    public_key: bytes
    uses: int


def challenge(key: bytes, purpose: str, now: int) -> bytes:
    """A new challenge, for one purpose, such as `sign-in`."""
    said = now.to_bytes(8) + secrets.token_bytes(_SIGNED - 8)
    return said + _signature(key, purpose, said)


def options_to_make(
    place: Place, challenge: bytes, handle: bytes, email: str, name: str, known: Sequence[str]
) -> dict[str, Any]:
    """What `navigator.credentials.create` is given, with bytes as base64url. `known`: ids of the person's passkeys."""
    from webauthn import base64url_to_bytes, generate_registration_options
    from webauthn.helpers import structs

    asked = structs.AuthenticatorSelectionCriteria(
        resident_key=structs.ResidentKeyRequirement.REQUIRED,
        require_resident_key=True,
        user_verification=structs.UserVerificationRequirement.REQUIRED,
    )
    options = generate_registration_options(
        rp_id=place.host,
        rp_name="Callrace",
        user_id=handle,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=asked,
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(base64url_to_bytes(id)) for id in known],
    )
    return _json(options)


def options_to_ask(place: Place, challenge: bytes) -> dict[str, Any]:
    """What `navigator.credentials.get` is given: any passkey of this exchange will do."""
    from webauthn import generate_authentication_options
    from webauthn.helpers import structs

    needed = structs.UserVerificationRequirement.REQUIRED
    return _json(
        generate_authentication_options(rp_id=place.host, challenge=challenge, user_verification=needed)
    )


def id_of(answer: Mapping[str, Any]) -> str:
    """The id of the passkey that an answer says it is by. Raises NotAPasskey."""
    id = answer.get("id")
    if not isinstance(id, str) or not id.isascii() or len(id) > LARGEST:
        raise NotAPasskey("it has no id")
    return id


def made(place: Place, key: bytes, purpose: str, answer: Mapping[str, Any], now: int) -> Made:
    """The passkey that an answer of `navigator.credentials.create` has. Raises NotAPasskey."""
    from webauthn import verify_registration_response

    said = challenge_of(key, purpose, answer, now)
    try:
        found = verify_registration_response(
            credential=dict(answer),
            expected_challenge=said,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except Exception as error:  # whatever a stranger's bytes do to the library, they are no passkey
        raise NotAPasskey(str(error)) from error
    from webauthn.helpers import bytes_to_base64url

    return Made(bytes_to_base64url(found.credential_id), found.credential_public_key, found.sign_count)


def used(
    place: Place, key: bytes, purpose: str, answer: Mapping[str, Any], known: Made, now: int
) -> tuple[int, int]:
    """How often the passkey says it was used, and when its challenge was made (ms). Raises NotAPasskey."""
    from webauthn import verify_authentication_response

    said = challenge_of(key, purpose, answer, now)
    try:
        found = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=said,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.uses,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise NotAPasskey(str(error)) from error
    return found.new_sign_count, int.from_bytes(said[:8])


def challenge_of(key: bytes, purpose: str, answer: Mapping[str, Any], now: int) -> bytes:
    """The challenge that an answer is to, if it is one of ours, for this purpose, and not over. Raises NotAPasskey."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    response = answer.get("response")
    data = response.get("clientDataJSON") if isinstance(response, Mapping) else None
    if not isinstance(data, str) or len(data) > LARGEST:
        raise NotAPasskey("it has no client data")
    try:
        said = parse_client_data_json(base64url_to_bytes(data)).challenge
    except Exception as error:  # as above
        raise NotAPasskey(str(error)) from error
    signed, signature = said[:_SIGNED], said[_SIGNED:]
    if not hmac.compare_digest(signature, _signature(key, purpose, signed)):
        raise NotAPasskey("the challenge is not ours, or was for something else")
    if not 0 <= now - int.from_bytes(signed[:8]) < ANSWERED_MS:
        raise NotAPasskey("the challenge is over")
    return said


def _signature(key: bytes, purpose: str, said: bytes) -> bytes:
    return hmac.digest(key, purpose.encode() + b"\0" + said, "sha256")


def _json(options: Any) -> dict[str, Any]:
    from webauthn import options_to_json

    found: dict[str, Any] = json.loads(options_to_json(options))
    return found
