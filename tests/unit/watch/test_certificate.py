"""The certificate of SIP: what the doctor says of it, and that Asterisk is told of a renewed one."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ari_app.ari.client import connect
from ari_app.ari.events import now_ms
from ari_app.settings import Settings
from ari_app.watch import certificate
from ari_app.watch.certificate import (
    CertificateError,
    check_certificate,
    keep_certificate_read,
    read_certificate,
)
from ari_app.watch.finding import Finding
from tests.kit.certificates import make_certificate
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport

DAY_MS = 86_400_000
RELOAD = "PUT asterisk/modules/res_pjsip.so"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with nothing in it."""
    return Settings(tmp_path, f"sqlite:///{tmp_path}/callrace.db")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a certificate and its key."""
    return make_certificate(tmp_path_factory.mktemp("made")).parent


def put(settings: Settings, made: Path) -> None:
    """Certificate and key are in their places."""
    settings.certificate.parent.mkdir(parents=True, exist_ok=True)
    for name in ("certificate.pem", "key.pem"):
        (settings.certificate.parent / name).write_bytes((made / name).read_bytes())


def shown(host: str, port: int) -> str:
    """Asterisk takes no SIP over TLS there."""
    raise ConnectionRefusedError(111, "Connection refused")


def finding(settings: Settings, now: int) -> Finding:
    found, *_ = check_certificate(settings, now, shown)
    assert (found.ok and not found.is_doubtful) or found.remedy
    return found


def test_nothing_is_said_where_there_is_none(settings: Settings) -> None:
    assert read_certificate(settings) is None
    assert list(check_certificate(settings, 0)) == []


@pytest.mark.parametrize(
    ("before_ms", "ok", "doubtful", "told"),
    [
        (15 * DAY_MS, True, False, "of sip.callrace.example, 127.0.0.1 ends on "),
        (14 * DAY_MS, True, True, ", in 14 days"),
        (DAY_MS - 1, True, True, ", in 0 days"),
        (0, False, False, "has ended on "),
        (-DAY_MS, False, False, "telephones and carriers refuse it"),
    ],
)
def test_the_doctor_tells_of_a_certificate_that_ends_within_14_days(
    settings: Settings, made: Path, before_ms: int, ok: bool, doubtful: bool, told: str
) -> None:
    put(settings, made)
    certificate = read_certificate(settings)
    assert certificate is not None
    found = finding(settings, certificate.ends_at - before_ms)
    assert (found.ok, found.is_doubtful) == (ok, doubtful)
    assert told in found.detail


def test_the_doctor_tells_where_asterisk_shows_none_or_another(
    settings: Settings, made: Path, tmp_path: Path
) -> None:
    put(settings, made)
    other = make_certificate(tmp_path / "other")
    chain = settings.certificate.read_text() + other.read_text()
    settings.certificate.write_text(f"a line of whoever made it\n{chain}")

    def told(answer: Callable[[str, int], str]) -> Finding:
        found = list(check_certificate(settings, 0, answer))
        assert [one.name for one in found] == ["certificate", "SIP over TLS"]
        return found[1]

    assert told(lambda host, port: (made / "certificate.pem").read_text()).ok
    assert (
        told(lambda host, port: other.read_text()).detail
        == "Asterisk shows another certificate than is there"
    )
    assert told(shown).detail == "Asterisk takes none on 127.0.0.1:5061: Connection refused"
    assert not told(shown).ok


def test_a_certificate_that_has_ended_can_still_be_read(settings: Settings, made: Path) -> None:
    put(settings, made)
    again = [
        "openssl",
        "x509",
        "-in",
        settings.certificate,
        "-signkey",
        settings.certificate_key,
        "-days",
        "-1",
    ]
    subprocess.run([*again, "-out", settings.certificate], check=True, capture_output=True)
    certificate = read_certificate(settings)
    assert certificate is not None
    assert certificate.ends_at < now_ms()


@pytest.mark.parametrize("damage", ["no key", "another's key", "no certificate in it", "no key in it"])
def test_what_cannot_be_used_is_named_with_the_reason(
    settings: Settings, made: Path, tmp_path: Path, damage: str
) -> None:
    put(settings, made)
    if damage == "no key":
        settings.certificate_key.unlink()
    elif damage == "another's key":
        other = make_certificate(tmp_path / "other").parent
        settings.certificate_key.write_bytes((other / "key.pem").read_bytes())
    elif damage == "no certificate in it":
        settings.certificate.write_text("nothing\n")
    else:
        settings.certificate_key.write_text("nothing\n")
    with pytest.raises(CertificateError, match=r"certificate\.pem with key\.pem: \S"):
        read_certificate(settings)
    found = finding(settings, 0)
    assert not found.ok
    assert "\n" not in found.detail


async def test_asterisk_reads_a_certificate_at_the_start_and_each_that_is_renewed(
    settings: Settings, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "LOOK_EVERY_S", 0.005)
    transport = ScriptedTransport()

    async def until_read(times: int) -> None:
        async with asyncio.timeout(10):
            while transport.sent.count(RELOAD) < times:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)  # ten looks
        assert transport.sent.count(RELOAD) == times

    async with connect(SETTINGS, lambda start: None, transport) as client:
        task = asyncio.create_task(keep_certificate_read(client, settings))
        await until_read(0)
        put(settings, made)
        await until_read(1)
        settings.certificate_key.write_text("half of a key")
        await until_read(1)
        put(settings, made)
        os.utime(settings.certificate_key, ns=(1, 1))
        await until_read(2)
        task.cancel()
