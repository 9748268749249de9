"""The certificate of SIP over TLS: whether it can be used, until when, and that Asterisk reads a renewed one.

Certificate and key are the files `certificate.pem` (with its chain) and `key.pem` in HOME/secrets/tls. When Asterisk's
res_pjsip is reloaded, it reads them again if they have changed. Connections that are open stay open.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.domain.basics.clock import iso
from ari_app.settings import Settings
from ari_app.watch.finding import Finding

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
SHOWN_WITHIN_S = 3.0
SOON_MS = 14 * 86_400_000
_SIP = "res_pjsip.so"
_NO_CHECK_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME: a certificate that has ended is read, too
_TURNS = 4  # of a handshake, each side


class CertificateError(ValueError):
    """Certificate and key cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`names`: the host names and addresses that it is for. `ends_at` is in ms since the epoch."""

    names: tuple[str, ...]
    ends_at: int


def read_certificate(settings: Settings) -> Certificate | None:
    """The certificate that Asterisk shows; None: there is none. Raises CertificateError."""
    if not settings.certificate.exists():
        return None
    try:
        read = _decoded(settings.certificate, settings.certificate_key)
    except (
        OSError,
        ssl.SSLError,
    ) as error:  # without the path of the key it would not be known which of both
        both = f"{settings.certificate} with {settings.certificate_key.name}"
        raise CertificateError(f"{both}: {error.strerror or error}") from error
    names = (name for kind, name in read.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))
    common = (value for part in read.get("subject", ()) for field, value in part if field == "commonName")
    ends_at = int(ssl.cert_time_to_seconds(read["notAfter"])) * 1000
    return Certificate(tuple(names) or tuple(common), ends_at)


def _decoded(certificate: Path, key: Path) -> dict[str, Any]:
    """What a client is told of a certificate, by a handshake in memory: the library tells it in no other way."""
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(certificate, key)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(certificate)
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there)
    server = shown.wrap_bio(there, back, server_side=True)
    for _ in range(_TURNS):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return dict(client.getpeercert() or {})


def shown_by(host: str, port: int) -> str:
    """The certificate (PEM) that whoever connects there by TLS is shown. Raises OSError."""
    return ssl.get_server_certificate((host, port), timeout=SHOWN_WITHIN_S)


def check_certificate(
    settings: Settings, now: int, shown: Callable[[str, int], str] = shown_by
) -> Iterator[Finding]:
    """Checks that the certificate can be used, for 14 days more, and is shown. No finding where there is none.

    `now` is in ms.
    """
    folder = settings.certificate.parent
    renew = (
        f"put a renewed certificate.pem and key.pem into {folder}; a running switch has Asterisk read them"
    )
    try:
        found = read_certificate(settings)
    except CertificateError as error:
        yield Finding("certificate", False, str(error), renew)
        return
    if found is None:
        return
    of_whom = f"of {', '.join(found.names) or 'nobody by name'}"
    if found.ends_at <= now:
        detail = f"{of_whom} has ended on {iso(found.ends_at)}: telephones and carriers refuse it"
        yield Finding("certificate", False, detail, renew)
        return
    is_soon = found.ends_at - now <= SOON_MS
    days = f", in {(found.ends_at - now) // 86_400_000} days" if is_soon else ""
    detail = f"{of_whom} ends on {iso(found.ends_at)}{days}"
    yield Finding("certificate", True, detail, renew if is_soon else "", is_doubtful=is_soon)
    yield check_shown(settings, shown)


def check_shown(settings: Settings, shown: Callable[[str, int], str]) -> Finding:
    """Checks that Asterisk takes SIP over TLS, and shows the certificate that is there."""
    host, port = settings.sip_host, settings.sip_tls_port
    try:
        is_the_same = ssl.PEM_cert_to_DER_cert(shown(host, port)) == _first(settings.certificate)
    except OSError as error:
        detail = f"Asterisk takes none on {host}:{port}: {error.strerror or error}"
        remedy = "restart Asterisk, which takes it only when it starts with a certificate; see CALLRACE_SIP_TLS_PORT"
        return Finding("SIP over TLS", False, detail, remedy)
    if not is_the_same:
        remedy = f"start a switch, which has Asterisk read it; can Asterisk read {settings.certificate_key}?"
        return Finding("SIP over TLS", False, "Asterisk shows another certificate than is there", remedy)
    return Finding("SIP over TLS", True, f"on {host}:{port}, by this certificate")


def _first(certificate: Path) -> bytes:
    """The certificate itself (DER), which its chain follows."""
    head, end, _ = certificate.read_text().partition(ssl.PEM_FOOTER)
    return ssl.PEM_cert_to_DER_cert(head[head.index(ssl.PEM_HEADER) :] + end)


async def keep_certificate_read(client: Client, settings: Settings) -> None:
    """Has Asterisk read the certificate again when it has changed, and once at the start. Runs for ever.

    While certificate and key do not belong together, as between the writing of one and of the other, Asterisk keeps
    what it has.
    """
    done: tuple[int, ...] = ()
    while True:
        seen = _written_at(settings)
        if seen != done and client.connected and await _is_read(client, settings):
            done = seen
        await asyncio.sleep(LOOK_EVERY_S)


async def _is_read(client: Client, settings: Settings) -> bool:
    """Whether Asterisk has read what is there, or nothing can be read until it changes."""
    try:
        found = await asyncio.to_thread(read_certificate, settings)
        if found is not None:
            await client.asterisk.reload_module(_SIP)
            log.info("Asterisk reads the certificate of SIP, which ends on %s", iso(found.ends_at))
    except CertificateError as error:
        log.warning("the certificate of SIP stays as it was: %s", error)
    except AriError as error:
        log.warning("the certificate of SIP stays as it was, and is tried again: %s", error)
        return False
    return True


def _written_at(settings: Settings) -> tuple[int, ...]:
    """When certificate and key were written last (ns); empty: not both are there."""
    try:
        return tuple(file.stat().st_mtime_ns for file in (settings.certificate, settings.certificate_key))
    except OSError:
        return ()
