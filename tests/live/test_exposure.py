"""What a running lab and its switch show to others: no service beyond loopback, and no secret anywhere."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from ari_app.lab.sipp import accepts, talk_ms
from tests.live.exchange import marketplace, phones, uris
from tests.live.process import switch_process

pytestmark = pytest.mark.live

Address = IPv4Address | IPv6Address

TABLES = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}
WAITING = {"tcp": "0A", "udp": "07"}  # the state of a socket that hears anybody, see proc_pid_net(5)


@pytest.fixture
async def serving(lab, tmp_path, calling):
    """A switch process with a call under way."""
    async with switch_process(lab, tmp_path) as switch, phones({"agent": accepts()}) as agents:
        switch.apply(marketplace(uris(agents)))
        await switch.start()
        async with calling(plan=[talk_ms(60_000)]) as who:
            await switch.live("connected")
            yield switch
            await who.hang_up()


async def test_every_service_listens_on_loopback_alone(serving, lab):
    sip, ari, ami = (int(lab.environment[f"CALLRACE_{name}_PORT"]) for name in ("SIP", "ARI", "AMI"))
    services = listening(lab.pid, "tcp") | listening(serving.pid, "tcp")
    assert {port for _, port in services} >= {ari, ami}
    # By UDP others may send media, and PJSIP asks for names.
    services |= {(address, port) for address, port in listening(lab.pid, "udp") if port == sip}
    assert sip in {port for _, port in services}
    assert [str(address) for address, _ in services if not address.is_loopback] == []


async def test_no_secret_is_on_a_command_line_or_in_a_log(serving, lab):
    secrets = [path.read_text().strip() for path in (lab.home / "secrets").rglob("*") if path.is_file()]
    shown = [serving.log(), *asterisks_logs(lab), *command_lines()]
    assert len(secrets) >= 2
    assert [secret for secret in secrets if any(secret in text for text in shown)] == []


def listening(pid: int, protocol: str) -> set[tuple[Address, int]]:
    """The sockets of a process that hear anybody: address, port."""
    held = {str(descriptor.readlink()) for descriptor in Path(f"/proc/{pid}/fd").iterdir()}
    found = set()
    for table in TABLES[protocol]:
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == WAITING[protocol] and f"socket:[{inode}]" in held:
                address, port = local.split(":")
                found.add((_address(address), int(port, 16)))
    return found


def _address(words: str) -> Address:
    """An address as the kernel writes it: 32-bit words, each with its lowest byte first."""
    packed = bytes.fromhex(words)
    return ip_address(b"".join(packed[n : n + 4][::-1] for n in range(0, len(packed), 4)))


def command_lines() -> list[str]:
    """What anybody on the machine can see of every process."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return lines


def asterisks_logs(lab) -> list[str]:
    """All that the lab's Asterisk has logged."""
    return [
        path.read_text(errors="replace")
        for path in (lab.home / "asterisk" / "log").rglob("*")
        if path.is_file()
    ]
