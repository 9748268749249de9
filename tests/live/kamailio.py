"""Kamailio as the carrier in front: calls come and leave by it, and it adds and strips what carriers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.kit.certificates import make_certificate

_CONFIG = """#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=2
enable_tls=yes
listen=udp:127.0.0.1:{udp}
listen=tls:127.0.0.1:{tls}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "tls.so"
modparam("tls", "config", "{home}/tls.cfg")

request_route {{
  if (is_method("CANCEL")) {{
    if (t_check_trans()) t_relay();
    exit;
  }}
  if (has_totag()) {{
    loose_route();
    t_relay();
    exit;
  }}
  record_route();
  # What somebody outside says of a number is taken off, whoever it is; what the carrier says of it is its own.
  remove_hf_re("^(X-|P-Attestation|P-Charging|Identity)");
  if ($pr == "tls") {{
    # Out: the number that is vouched for is for the carrier alone.
    remove_hf("P-Asserted-Identity");
    $du = "sip:{subscriber}";
  }} else {{
    remove_hf("P-Asserted-Identity");
    append_hf("P-Asserted-Identity: <sip:$fU@carrier.example;user=phone>, <tel:$fU>\\r\\n");
    append_hf("P-Attestation-Indicator: B\\r\\n");
    append_hf("P-Charging-Vector: icid-value=1;icid-generated-at=127.0.0.1\\r\\n");
    append_hf("Diversion: <sip:+13105550177@carrier.example>;reason=unconditional\\r\\n");
    append_hf("X-Carrier-Trunk: 17\\r\\n");
    $rU = $rU + ";npdi=yes";
    $du = "sip:{callrace};transport=tls";
  }}
  t_relay();
}}
"""
_TLS = """[server:default]
method = TLSv1.2+
certificate = {certificate}
private_key = {key}
ca_list = {authority}

[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = {authority}
"""


@asynccontextmanager
async def kamailio(
    udp: int, tls: int, callrace: str, subscriber: str, authority: Path, home: Path
) -> AsyncIterator[str]:
    """What comes to its port `udp` goes to `callrace` by TLS, what comes to its port `tls` goes to `subscriber`.

    The others' addresses are host:port. Yields its own, for callers.
    """
    home.mkdir()
    made = make_certificate(home / "tls", authority)
    (home / "tls.cfg").write_text(
        _TLS.format(certificate=made, key=made.with_name("key.pem"), authority=authority)
    )
    config = home / "kamailio.cfg"
    config.write_text(_CONFIG.format(udp=udp, tls=tls, callrace=callrace, subscriber=subscriber, home=home))
    with (home / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "kamailio", "-f", str(config), "-DD", "-E", "-m", "64", "-M", "8", "-Y", str(home), "-n", "1",
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        await _listening(tls)
        yield f"127.0.0.1:{udp}"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            with suppress(ConnectionRefusedError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
