"""Certificates for tests, made by openssl: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path

NAMES = "DNS:sip.callrace.example,IP:127.0.0.1"


def make_authority(folder: Path) -> Path:
    """A certificate authority, and its key, in a new folder; the certificate's file."""
    folder.mkdir(parents=True)
    _openssl(folder / "certificate.pem", folder / "key.pem", "/CN=tests", "-days", "30")
    return folder / "certificate.pem"


def make_certificate(
    folder: Path, authority: Path | None = None, *, days: int = 30, names: str = NAMES
) -> Path:
    """A certificate, and its key, as Callrace wants them, in a folder; the certificate's file.

    It is signed by the authority, or by itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = ["-days", str(days), "-addext", f"subjectAltName={names}"]
    if authority is not None:
        wanted += ["-CA", str(authority), "-CAkey", str(authority.with_name("key.pem"))]
        wanted += ["-addext", "basicConstraints=critical,CA:FALSE"]
    _openssl(folder / "certificate.pem", folder / "key.pem", "/CN=callrace", *wanted)
    return folder / "certificate.pem"


def _openssl(certificate: Path, key: Path, subject: str, *words: str) -> None:
    """Writes both beside their places first: whoever reads them meanwhile is to find whole files."""
    new = [path.with_suffix(".new") for path in (certificate, key)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, *words]
    subprocess.run([*command, "-out", new[0], "-keyout", new[1]], check=True, capture_output=True)
    for made, path in zip(new, (certificate, key), strict=True):
        made.rename(path)
