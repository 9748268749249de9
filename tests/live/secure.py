"""A lab whose Asterisk has a certificate: SIP over TLS, and SRTP.

`agent-101` encrypts, as telephones do by default there; `agent-102` is one that cannot. The trunk `main` leads by TLS
to `trunk_port`. Whoever is to be trusted has a certificate of the same authority.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from ari_app.lab.ports import free_tcp_ports
from tests.kit.certificates import make_authority, make_certificate
from tests.live.lab import REPO, Lab, private

_PHONES = REPO / "config" / "asterisk" / "pjsip_phones.conf"


def secure(home: Path) -> Lab:
    """It is not started yet."""
    lab = private(home)
    make_authority(home / "authority")
    shutil.copy(authority(lab), renew(lab).with_name("authorities.pem"))
    overlay = home / "overlay"
    shutil.copytree(REPO / "tests" / "live" / "overlay" / "dialplan", overlay / "dialplan")
    phones = _PHONES.read_text()
    assert phones.count("[agent-102](phone)") == 1
    (overlay / "pjsip_phones.conf").write_text(
        phones.replace("[agent-102](phone)", "[agent-102](phone-plain)")
    )
    ours = {
        "CALLRACE_ASTERISK_OVERLAY": str(overlay),
        "CALLRACE_TRUNK_MAIN": f"sip:127.0.0.1:{free_tcp_ports(1)[0]};transport=tls",
    }
    return replace(lab, environment=lab.environment | ours)


def renew(lab: Lab) -> Path:
    """Puts a new certificate in the place of the one that is there; its file."""
    return make_certificate(lab.home / "secrets" / "tls", authority(lab), names="DNS:localhost,IP:127.0.0.1")


def authority(lab: Lab) -> Path:
    """The certificate of the authority that everybody in this lab trusts."""
    return lab.home / "authority" / "certificate.pem"


def trunk_port(lab: Lab) -> int:
    """Where the carrier's gateway, to which the trunk `main` leads, has to listen."""
    return int(lab.environment["CALLRACE_TRUNK_MAIN"].rpartition(":")[2].partition(";")[0])
