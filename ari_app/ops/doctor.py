"""The doctor: what calls need, found or missing, each with its remedy.

A check is a small function from the settings to a finding, or to several. A check whose ground is
missing (no Asterisk, no database) says so in one finding of another check, so it looks at nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import Engine

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.ari.events import now_ms
from ari_app.ari.version import OLDEST, require_version
from ari_app.domain.marketplace import Marketplace
from ari_app.domain.outlook import Available, outlook
from ari_app.domain.prompts import SYSTEM_PROMPTS, prompts_of, stem
from ari_app.ops import ami, asterisk, running
from ari_app.ops.prompts import speech_program
from ari_app.settings import Settings, SettingsError, refused_file
from ari_app.store import ledger, marketplaces, schema
from ari_app.store.aside import Aside
from ari_app.store.engine import open_engine
from ari_app.store.errors import DocumentUnreadable, StoreError
from ari_app.store.journal import ASIDE, unreadable
from ari_app.store.spool import Spool

TRUNK = "carrier"
AGENTS = "agents"
SECRETS = ("ari", "ami")
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
ROOM_BYTES = 500_000_000
_SHOWN = 5
_TRIPS = 3
_CLOCK_OFF_S = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy`: what to do when it is not ok."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class AsteriskView:
    """What Asterisk says of itself over ARI."""

    info: dict[str, Any] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    endpoints: frozenset[str] = frozenset()
    sounds: frozenset[str] = frozenset()
    clock_ahead_ms: int = 0  # of this machine's


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which they are best put right."""
    yield check_speech()
    yield check_disk(settings)
    yield from check_secrets(settings)
    marketplace = None
    try:
        engine = open_engine(settings.database_url)
        marketplace = read_marketplace(engine)
        yield Finding("database", True, "reachable and migrated")
        yield check_marketplace(marketplace)
        if marketplace is not None:
            yield check_limits(marketplace, ledger.available(engine), now_ms())
    except DocumentUnreadable as error:
        yield Finding("marketplace", False, str(error), "upgrade this Callrace")
    except StoreError as error:
        yield Finding("database", False, str(error), "see CALLRACE_DATABASE_URL; run `callrace db upgrade`")
    yield check_spool(settings)
    yield check_set_aside(settings)
    yield check_outcomes(settings)
    yield check_prompts(settings, marketplace)
    try:
        view = asterisk.ask(settings, look)
        yield Finding("asterisk", True, f"answers on {settings.ari_host}:{settings.ari_port}")
        yield from check_asterisk(view, marketplace)
    except (AriError, SettingsError) as error:
        yield Finding(
            "asterisk", False, str(error), "run `callrace lab up`, or see CALLRACE_ASTERISK and secrets/ari"
        )
    yield check_trunk_state(settings)
    yield check_switch(settings)
    yield from check_saving(settings)
    yield from check_chores(settings)
    yield check_agi(settings)
    yield from check_supervision(settings)


# On this machine


def check_speech(which: Callable[[str], str | None] = shutil.which) -> Finding:
    """Whether `tts:` prompts can be rendered."""
    program = speech_program(which)
    if program is None:
        return Finding("speech", False, "neither flite nor espeak-ng is installed", "apt-get install flite")
    return Finding("speech", True, program)


def check_disk(settings: Settings) -> Finding:
    """Whether there is room to write down calls, and the right to: database, spool, journal, recordings."""
    home = settings.home
    try:
        with TemporaryFile(dir=home) as file:
            file.write(b"written")
            file.flush()
        free = shutil.disk_usage(home).free
    except OSError as error:
        return Finding("disk", False, f"{home} cannot be written: {error.strerror}", f"make room in {home}")
    detail = f"{free / 1e9:.1f} GB free in {home}"
    return Finding("disk", free >= ROOM_BYTES, detail, f"make room: {ROOM_BYTES / 1e9:.1f} GB at least")


def check_secrets(settings: Settings) -> Iterator[Finding]:
    """Whether the passwords are there, and for nobody else to read."""
    for name in SECRETS:
        path = settings.home / "secrets" / name
        try:
            mode = path.stat().st_mode & 0o777
        except OSError as error:
            remedy = "run `callrace lab up`, or put Asterisk's password there"
            yield Finding(f"secret {name}", False, f"{path}: {error.strerror}", remedy)
            continue
        if mode & 0o077:
            yield Finding(f"secret {name}", False, f"{path} has mode {mode:04o}", f"chmod 600 {path}")
        else:
            yield Finding(f"secret {name}", True, f"{path}, mode {mode:04o}")


def read_marketplace(engine: Engine) -> Marketplace | None:
    """The marketplace in force; None when there is none. Raises StoreError."""
    schema.require(engine)
    loaded = marketplaces.load(engine)
    return loaded.marketplace if loaded else None


def check_marketplace(marketplace: Marketplace | None) -> Finding:
    """Whether one is in force."""
    if marketplace is None:
        return Finding("marketplace", False, "none was applied", "run `callrace apply FILE`")
    detail = f"{len(marketplace.numbers)} numbers, {len(marketplace.destinations)} destinations"
    return Finding("marketplace", True, detail)


def check_limits(marketplace: Marketplace, available: Available, now: int) -> Finding:
    """Whether each live campaign's caps and funds have room for a call."""
    short = [shortage.words for shortage in outlook(marketplace, available, now) if shortage.admits == 0]
    remedy = "raise the cap, lower the campaign's max_duration, or run `callrace ledger deposit`"
    return Finding("caps and funds", not short, _some(short) or "have room for calls", remedy)


def check_prompts(settings: Settings, marketplace: Marketplace | None) -> Finding:
    """Whether the audio files of the marketplace's prompts are where Asterisk looks."""
    if marketplace is None:
        return Finding("prompts", True, "none needed before a marketplace is applied")
    files = [f"{stem(p)}.wav" for p in prompts_of(marketplace) if not p.startswith("sound:")]
    missing = [name for name in files if not (settings.prompts / name).exists()]
    if missing:
        detail = f"missing in {settings.prompts}: {_some(missing)}"
        return Finding("prompts", False, detail, "run `callrace apply FILE` again")
    return Finding("prompts", True, f"{len(files)} files in {settings.prompts}")


def check_spool(settings: Settings) -> Finding:
    """Whether settled calls wait for the database, or were refused by it."""
    spool = Spool(settings.spool)
    refused = spool.refused()
    detail = f"{len(spool)} calls wait for the database, {refused} were refused"
    if refused:
        remedy = "see `callrace spool list` for the reasons; then `callrace spool retry`"
        return Finding("spool", False, detail, remedy)
    remedy = "a running switch saves them when the database is back; or `callrace spool retry`"
    return Finding("spool", not len(spool), detail if len(spool) else "empty", remedy)


def check_set_aside(settings: Settings) -> Finding:
    """Whether calls that a switch left could not be taken up by the next."""
    reasons = Aside(settings.journal / ASIDE).reasons()
    lines = unreadable(settings.journal)
    if not reasons and lines:
        detail = f"a line of the journal was no call that this Callrace can read: {_some(map(str, lines))}"
        return Finding("set aside", False, detail, "look whose calls they are; then remove the file")
    if not reasons:
        return Finding("set aside", True, "no call")
    detail = _some(f"call {call_id} ({' '.join(why.split())})" for call_id, why in reasons.items())
    remedy = (
        "nobody is charged for them yet; each start of a switch tries again: start one that can read them"
    )
    return Finding("set aside", False, detail, remedy)


def check_outcomes(settings: Settings) -> Finding:
    """Whether lines about calls that the dialplan served were refused."""
    refused = {
        path: _lines(path) for file in settings.fallback_files if (path := refused_file(file)).exists()
    }
    if not refused:
        return Finding("dialplan's calls", True, "no line was refused")
    detail = _some(f"{count} lines in {path}" for path, count in refused.items())
    remedy = (
        "the AGI server's log says why; put right what can be, append it to the .csv beside, remove the file"
    )
    return Finding("dialplan's calls", False, f"refused: {detail}", remedy)


def check_chores(settings: Settings) -> Iterator[Finding]:
    """What the running switch does again and again and cannot do now; nothing where none runs."""
    try:
        status = running.ask(settings, "/status")
    except running.SwitchError:
        return
    if why := status.get("unreadable_marketplace"):
        detail = f"the switch goes on with marketplace {status['marketplace_version']}: {why}"
        yield Finding("switch's marketplace", False, detail, "`callrace switch hand-over && callrace lab up`")
    for chore, why in status.get("failing_chores", {}).items():
        yield Finding(chore, False, f"the switch cannot: {why}", f"see {running.log_file(settings)}")


def check_switch(settings: Settings) -> Finding:
    """Whether a switch runs and is connected."""
    try:
        status = running.ask(settings, "/status")
    except running.SwitchError as error:
        return Finding("switch", False, str(error), "run `callrace lab up`")
    if status["asterisk"] != "connected":
        return Finding("switch", False, "runs, but is not connected", f"see {running.log_file(settings)}")
    if status.get("draining"):
        detail = f"takes no new calls, and ends after the {status['calls']} under way"
        return Finding("switch", False, detail, "wait for it, then run `callrace lab up`")
    return Finding("switch", True, f"pid {status['pid']}, connected, {status['calls']} calls under way")


def check_saving(settings: Settings) -> Iterator[Finding]:
    """Why the running switch cannot save ended calls; nothing where it can, or none runs."""
    try:
        problem = running.ask(settings, "/status").get("saving_problem")
    except running.SwitchError:
        return
    if problem:
        remedy = "nothing is lost: ended calls are in the spool, and saved when the database takes them"
        yield Finding("saving", False, problem, remedy)


def check_agi(settings: Settings) -> Finding:
    """Whether the server that serves calls while no switch is connected answers."""
    where = f"127.0.0.1:{settings.agi_port}"
    why = running.why_no_agi(settings)
    if why is not None:
        detail = f"nothing answers on {where} ({why}): while no switch is connected, "
        remedy = "run `callrace lab up`, or `callrace agi run`; see CALLRACE_AGI_PORT"
        return Finding("agi", False, detail + "calls are not served", remedy)
    return Finding("agi", True, f"answers on {where}")


def check_supervision(settings: Settings) -> Iterator[Finding]:
    """What the running switch sees by AMI; nothing where none runs."""
    try:
        seen = running.ask(settings, "/status").get("supervision")
    except running.SwitchError:
        return
    if seen is None:  # a switch older than this command
        return
    if seen["problem"]:
        yield Finding(
            "supervision", False, seen["problem"], "see CALLRACE_AMI_PORT, secrets/ami and manager.conf"
        )
        return
    yield Finding("supervision", True, _supervised_text(seen))
    for trunk in seen["trunks"]:
        name, contacts = f"trunk {trunk['trunk']} out", ", ".join(trunk["contacts"])
        if not trunk["up"]:
            remedy = "is the carrier's gateway up? See its contact in pjsip.conf"
            yield Finding(name, False, contacts or "Asterisk has no such endpoint", remedy)
    for server, state in seen["registrations"].items():
        if state != "Registered":
            yield Finding(f"registration {server}", False, state, "check the account's name and password")
    if overloaded := seen.get("overloaded"):
        told = _some(f"{name} ({tasks} tasks)" for name, tasks in overloaded.items())
        remedy = "fewer calls, or more processors; `asterisk -rx 'core show taskprocessors'` on its machine"
        yield Finding("task processors", False, f"overloaded in the last minutes: {told}", remedy)
    if seen["stray_legs"]:
        yield Finding(
            "stray legs",
            False,
            f"{seen['stray_legs']} legs in Asterisk have lost their call",
            "they are hung up within a minute; if more come, see the switch's log",
        )


def _supervised_text(seen: dict[str, Any]) -> str:
    phones = ", ".join(f"{count} {state.lower()}" for state, count in seen["phones"].items())
    memory = seen.get("memory_bytes")
    asterisk = "" if memory is None else f", Asterisk {memory / 1e6:.0f} MB"
    return f"channels {seen['channels']}, phones: {phones or 'none'}{asterisk}"


# In Asterisk


async def look(client: Client) -> AsteriskView:
    """All that the checks want to know of Asterisk. Raises AriError."""
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
    """How far Asterisk's clock is ahead of this machine's, ms, to half of the quickest round trip. Raises AriError."""
    trips = []
    for _ in range(_TRIPS):
        asked_at = now_ms()
        told = await client.asterisk.clock()
        back_at = now_ms()
        trips.append((back_at - asked_at, told - (asked_at + back_at) // 2))
    return min(trips)[1]


def check_asterisk(view: AsteriskView, marketplace: Marketplace | None) -> Iterator[Finding]:
    """Version, clock, modules, endpoints and sounds."""
    yield check_version(view)
    yield check_clock(view)
    yield check_modules(view)
    yield check_endpoint(view, TRUNK, "calls come in by it")
    yield check_endpoint(view, AGENTS, "agents are rung by it")
    if marketplace is not None:
        yield from check_phones(view, marketplace)
        yield from check_recorder(view, marketplace)
    yield check_sounds(view, marketplace)


def check_version(view: AsteriskView) -> Finding:
    """Whether Asterisk is new enough."""
    try:
        version = require_version(view.info)
    except AriError as error:
        oldest = ".".join(map(str, OLDEST))
        return Finding("version", False, str(error), f"install Asterisk {oldest} or later")
    return Finding("version", True, ".".join(map(str, version)))


def check_clock(view: AsteriskView) -> Finding:
    """Whether Asterisk's clock and this machine's tell the same time."""
    off_s = abs(view.clock_ahead_ms) / 1000
    way = "ahead of" if view.clock_ahead_ms > 0 else "behind"
    detail = f"Asterisk's is {off_s:.1f} s {way} this machine's"
    if off_s < _CLOCK_OFF_S:
        return Finding("clock", True, f"Asterisk's and this machine's are within {_CLOCK_OFF_S:.0f} s")
    remedy = (
        "keep both by NTP (chrony); calls are counted by this machine's alone, Asterisk's logs by its own"
    )
    return Finding("clock", False, detail, remedy)


def check_modules(view: AsteriskView) -> Finding:
    """Whether the modules that a call needs are running."""
    missing = [name for name in MODULES if view.modules.get(name) != "Running"]
    if missing:
        remedy = "load them in modules.conf; config/asterisk/modules.conf has the whole list"
        return Finding("modules", False, f"not running: {_some(missing)}", remedy)
    return Finding("modules", True, f"all {len(MODULES)} that are needed run")


def check_endpoint(view: AsteriskView, name: str, why: str) -> Finding:
    """Whether a PJSIP endpoint is there."""
    if name in view.endpoints:
        return Finding(f"endpoint {name}", True, f"there; {why}")
    remedy = "add it to pjsip.conf as config/asterisk/pjsip.conf has it"
    return Finding(f"endpoint {name}", False, f"Asterisk has no PJSIP endpoint {name}; {why}", remedy)


def check_phones(view: AsteriskView, marketplace: Marketplace) -> Iterator[Finding]:
    """Destinations whose phone or trunk Asterisk does not know: they are never rung. Others are rung by AGENTS."""
    dials = ((name, one.dial.extension or one.dial.trunk) for name, one in marketplace.destinations.items())
    missing = [(name, endpoint) for name, endpoint in dials if endpoint and endpoint not in view.endpoints]
    if missing:
        told = _some(f"{name} ({endpoint})" for name, endpoint in missing)
        remedy = "add the endpoint, as pjsip_phones.conf and pjsip.conf have theirs"
        yield Finding("destinations", False, f"Asterisk has no PJSIP endpoint of {told}", remedy)


def check_recorder(view: AsteriskView, marketplace: Marketplace) -> Iterator[Finding]:
    """Whether Asterisk can record, where a campaign has it."""
    recorded = [name for name, campaign in marketplace.campaigns.items() if campaign.recording is not None]
    if recorded and view.modules.get(RECORDER) != "Running":
        detail = f"{RECORDER} does not run, and these campaigns are recorded: {_some(recorded)}"
        yield Finding("recorder", False, detail, "load it in modules.conf")


def check_sounds(view: AsteriskView, marketplace: Marketplace | None) -> Finding:
    """Whether Asterisk has the sounds that calls play."""
    prompts = prompts_of(marketplace) if marketplace else set(SYSTEM_PROMPTS)
    wanted = sorted(p.removeprefix("sound:") for p in prompts if p.startswith("sound:"))
    missing = [name for name in wanted if name not in view.sounds]
    if missing:
        remedy = "install asterisk-core-sounds-en-wav"
        return Finding("sounds", False, f"Asterisk has no sound {_some(missing)}", remedy)
    return Finding("sounds", True, f"all {len(wanted)} that are played, of {len(view.sounds)}")


def check_trunk_state(settings: Settings) -> Finding:
    """How the trunk is identified and whether its contacts answer, by AMI."""
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


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _SHOWN
    return ", ".join(listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
