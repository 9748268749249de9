"""The doctor's checks of Asterisk, over ARI and AMI."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import now_ms
from ari_app.ari.version import OLDEST, Version, require_version
from ari_app.domain.ivr.prompts import SYSTEM_PROMPTS, prompts_of
from ari_app.domain.market.marketplace import Marketplace
from ari_app.serving.dialstrings import AGENTS_TRANSFER, PHONES_TRANSFER
from ari_app.settings import Settings, SettingsError
from ari_app.watch import ami
from ari_app.watch.finding import Finding, some

TRUNK = "carrier"
AGENTS = "agents"
MODULES = (
    "app_stasis",
    "bridge_simple",
    "chan_pjsip",
    "codec_ulaw",
    "format_wav",
    "pbx_config",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_sounds",
    "res_http_websocket",
    "res_musiconhold",
    "res_pjsip_endpoint_identifier_ip",
    "res_pjsip_rfc3326",
    "res_pjsip_sdp_rtp",
    "res_pjsip_session",
    "res_rtp_asterisk",
    "res_stasis",
    "res_stasis_answer",
    "res_stasis_playback",
)
RECORDER = "app_mixmonitor"  # needed where a campaign records
REFER = "res_pjsip_refer"  # needed where a campaign follows transfers
SURVIVES_REFER_SUB = (22, 11, 0)
_TRIPS = 3
_CLOCK_OFF_S = 1.0


@dataclass(frozen=True, slots=True)
class AsteriskView:
    """What Asterisk reports about itself over ARI."""

    info: dict[str, Any] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    endpoints: frozenset[str] = frozenset()
    sounds: frozenset[str] = frozenset()
    clock_ahead_ms: int = 0  # compared with this machine's clock


async def look(client: Client) -> AsteriskView:
    """Asks Asterisk all that the checks need. Raises AriError."""
    modules = await client.asterisk.list_modules()
    endpoints = await client.endpoints.list()
    return AsteriskView(
        info=await client.asterisk.get_info(),
        modules={module["name"].removesuffix(".so"): module["status"] for module in modules},
        endpoints=frozenset(e["resource"] for e in endpoints if e["technology"] == "PJSIP"),
        sounds=frozenset(sound["id"] for sound in await client.sounds.list()),
        clock_ahead_ms=await clock_ahead_ms(client),
    )


async def clock_ahead_ms(client: Client) -> int:
    """How far (ms) Asterisk's clock is ahead of this machine's. Raises AriError.

    The error is at most half of the shortest round trip.
    """
    trips = []
    for _ in range(_TRIPS):
        asked_at = now_ms()
        told = await client.asterisk.clock()
        back_at = now_ms()
        trips.append((back_at - asked_at, told - (asked_at + back_at) // 2))
    return min(trips)[1]


def check_asterisk(view: AsteriskView, marketplace: Marketplace | None) -> Iterator[Finding]:
    """Checks version, clock, modules, endpoints and sounds."""
    yield check_version(view)
    yield check_clock(view)
    yield check_modules(view)
    yield check_endpoint(view, TRUNK, "calls come in by it")
    yield check_endpoint(view, AGENTS, "agents are rung by it")
    if marketplace is not None:
        yield from check_phones(view, marketplace)
        yield from check_recorder(view, marketplace)
        yield from check_transfers(view, marketplace)
    yield check_sounds(view, marketplace)


def check_version(view: AsteriskView) -> Finding:
    """Checks that Asterisk is new enough."""
    try:
        version = require_version(view.info)
    except AriError as error:
        oldest = ".".join(map(str, OLDEST))
        return Finding("version", False, str(error), f"install Asterisk {oldest} or later")
    return Finding("version", True, ".".join(map(str, version)))


def check_clock(view: AsteriskView) -> Finding:
    """Checks that Asterisk's clock and this machine's agree."""
    off_s = abs(view.clock_ahead_ms) / 1000
    way = "ahead of" if view.clock_ahead_ms > 0 else "behind"
    detail = f"Asterisk's is {abs(view.clock_ahead_ms) // 100 / 10:.1f} s {way} this machine's"
    if off_s < _CLOCK_OFF_S:
        return Finding("clock", True, f"Asterisk's and this machine's are within {_CLOCK_OFF_S:.0f} s")
    remedy = (
        "keep both by NTP (chrony); calls are counted by this machine's alone, Asterisk's logs by its own"
    )
    return Finding("clock", False, detail, remedy)


def check_modules(view: AsteriskView) -> Finding:
    """Checks that the modules that a call needs are running."""
    missing = [name for name in MODULES if view.modules.get(name) != "Running"]
    if missing:
        remedy = "load them in modules.conf; config/asterisk/modules.conf has the whole list"
        return Finding("modules", False, f"not running: {some(missing)}", remedy)
    return Finding("modules", True, f"all {len(MODULES)} that are needed run")


def check_endpoint(view: AsteriskView, name: str, why: str) -> Finding:
    """Checks that a PJSIP endpoint exists."""
    if name in view.endpoints:
        return Finding(f"endpoint {name}", True, f"there; {why}")
    remedy = "add it to pjsip.conf as config/asterisk/pjsip.conf has it"
    return Finding(f"endpoint {name}", False, f"Asterisk has no PJSIP endpoint {name}; {why}", remedy)


def check_phones(view: AsteriskView, marketplace: Marketplace) -> Iterator[Finding]:
    """Finds destinations whose phone or trunk is unknown to Asterisk: they are never rung. AGENTS is for the others."""
    dials = [(name, one.dial) for name, one in marketplace.destinations.items()]
    wanted = [(name, end) for name, dial in dials for end in (dial.extension, dial.trunk, dial.or_trunk)]
    missing = [(name, endpoint) for name, endpoint in wanted if endpoint and endpoint not in view.endpoints]
    if missing:
        told = some(f"{name} ({endpoint})" for name, endpoint in missing)
        remedy = "add the endpoint, as pjsip_phones.conf and pjsip.conf have theirs"
        yield Finding("destinations", False, f"Asterisk has no PJSIP endpoint of {told}", remedy)


def check_recorder(view: AsteriskView, marketplace: Marketplace) -> Iterator[Finding]:
    """Checks that Asterisk can record, if any campaign records."""
    recorded = [name for name, campaign in marketplace.campaigns.items() if campaign.recording is not None]
    if recorded and view.modules.get(RECORDER) != "Running":
        detail = f"{RECORDER} does not run, and these campaigns are recorded: {some(recorded)}"
        yield Finding("recorder", False, detail, "load it in modules.conf")


def check_transfers(view: AsteriskView, marketplace: Marketplace) -> Iterator[Finding]:
    """Checks that Asterisk lets agents transfer calls, if any campaign follows them."""
    following = [name for name, campaign in marketplace.campaigns.items() if campaign.follow is not None]
    if not following:
        return
    wanted = {AGENTS_TRANSFER, PHONES_TRANSFER} - view.endpoints
    if wanted or view.modules.get(REFER) != "Running":
        lacks = some(sorted(wanted) or [REFER])
        detail = f"Asterisk has no {lacks}, and these campaigns follow transfers: {some(following)}"
        remedy = "add it, as config/asterisk's pjsip.conf, pjsip_phones.conf and modules.conf have it"
        yield Finding("transfers", False, detail, remedy)
    elif _is_before(SURVIVES_REFER_SUB, view):
        oldest = ".".join(map(str, SURVIVES_REFER_SUB))
        detail = f"a phone that sends REFER with Refer-Sub: false crashes an Asterisk before {oldest}"
        remedy = f"install Asterisk {oldest}, or let only phones you trust take calls of {some(following)}"
        yield Finding("transfers", True, detail, remedy, is_doubtful=True)
    else:
        yield Finding("transfers", True, f"followed for {some(following)}")


def _is_before(version: Version, view: AsteriskView) -> bool:
    try:
        return require_version(view.info) < version
    except AriError:  # told by check_version
        return False


def check_sounds(view: AsteriskView, marketplace: Marketplace | None) -> Finding:
    """Checks that Asterisk has the sounds that calls play."""
    prompts = prompts_of(marketplace) if marketplace else set(SYSTEM_PROMPTS)
    wanted = sorted(p.removeprefix("sound:") for p in prompts if p.startswith("sound:"))
    missing = [name for name in wanted if name not in view.sounds]
    if missing:
        remedy = "install asterisk-core-sounds-en-wav"
        return Finding("sounds", False, f"Asterisk has no sound {some(missing)}", remedy)
    return Finding("sounds", True, f"all {len(wanted)} that are played, of {len(view.sounds)}")


def check_phones_in_clear(settings: Settings) -> Iterator[Finding]:
    """Finds phones that encrypt in vain. No finding when there is none, or when AMI cannot be asked."""
    try:
        names = ami.phones_in_clear(settings)
    except (ami.AmiError, SettingsError):
        return  # that is said of the trunk
    if names:
        detail = f"{some(names)} encrypt what is said, but registered without TLS: the keys can be read"
        remedy = "have them register by TLS; make those that cannot from phone-plain, in pjsip_phones.conf"
        yield Finding("encryption", True, detail, remedy, is_doubtful=True)


def check_trunk_state(settings: Settings) -> Finding:
    """Checks by AMI how the trunk is identified, and whether its contacts answer."""
    name = f"trunk {TRUNK}"
    try:
        state = ami.endpoint_state(settings, TRUNK)
    except (ami.AmiError, SettingsError) as error:
        return Finding(name, False, str(error), "see CALLRACE_AMI_PORT, secrets/ami and manager.conf")
    if state is None or not state.matches:
        remedy = "add an identify section for it to pjsip.conf, with the carrier's addresses"
        return Finding(name, False, "no address is identified as it, so no call can come in", remedy)
    contacts = f"; contacts: {', '.join(state.contacts)}" if state.contacts else ""
    return Finding(name, True, f"calls come in from {', '.join(state.matches)}{contacts}")
