"""A trunk whose carrier wants a registration registers, with the password that it was given."""

import asyncio
from dataclasses import replace

import pytest

from ari_app.lab.ports import free_udp_port
from tests.kit.interop import interop
from tests.live.lab import private
from tests.live.sip import parsed

pytestmark = pytest.mark.live


class Registrar(asyncio.DatagramProtocol):
    """Challenges a REGISTER that has no answer to a challenge, and takes any other."""

    def __init__(self):
        self.registered = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        message = parsed(data)
        if not message.first.startswith("REGISTER"):
            return
        is_proven = bool(message["Authorization"])
        status = "200 OK" if is_proven else "401 Unauthorized"
        challenge = (
            [] if is_proven else ['WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5']
        )
        same = [f"{name}: {message[name]}" for name in ("Via", "From", "Call-ID", "CSeq", "Contact")]
        lines = [
            f"SIP/2.0 {status}",
            *same,
            f"To: {message['To']};tag=r",
            *challenge,
            "Content-Length: 0",
            "",
            "",
        ]
        self.transport.sendto("\r\n".join(lines).encode(), address)
        if is_proven and not self.registered.done():
            self.registered.set_result(message)


@interop("A5", "A carrier that wants a registration, with a password", does="the trunk registers")
async def test_a_trunk_with_a_user_registers_at_its_carrier(tmp_path):
    port = free_udp_port()
    lab = private(tmp_path)
    carrier = {"CALLRACE_TRUNK_MAIN": f"sip:127.0.0.1:{port}", "CALLRACE_TRUNK_MAIN_USER": "acme"}
    without_overlay = {k: v for k, v in lab.environment.items() if k != "CALLRACE_ASTERISK_OVERLAY"}
    lab = replace(lab, environment=without_overlay | carrier)
    (tmp_path / "secrets" / "trunks").mkdir(parents=True)
    (tmp_path / "secrets" / "trunks" / "main").write_text("s3cret")
    loop = asyncio.get_running_loop()
    transport, registrar = await loop.create_datagram_endpoint(Registrar, ("127.0.0.1", port))
    try:
        started = await asyncio.to_thread(lab.run, "up")
        assert not started.returncode, started.stderr
        async with asyncio.timeout(30):
            proven = await registrar.registered
        assert 'username="acme"' in proven["Authorization"]
        assert proven["Contact"].startswith("<sip:acme@")
    finally:
        await asyncio.to_thread(lab.run, "down")
        transport.close()
