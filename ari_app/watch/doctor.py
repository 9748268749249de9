"""The doctor: checks what calls need, and gives a remedy for what is missing.

A check is a small function from the settings to one or several findings. When Asterisk or the database is missing, one
finding says so, and the checks that need it are left out. The checks of Asterisk are in `asteriskchecks`, those of the
running programs in `runningchecks`.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile

from sqlalchemy import Engine

from ari_app.ari.errors import AriError
from ari_app.ari.events import now_ms
from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.carrier import UNREAD
from ari_app.domain.calls.geo import overlaid, unknown_codes
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.caps.outlook import Available, outlook
from ari_app.domain.document.remarks import remarks
from ari_app.domain.ivr.prompts import prompts_of, stem
from ari_app.domain.market.marketplace import Marketplace
from ari_app.media import asterisk
from ari_app.media.prompts import speech_program
from ari_app.serving import running
from ari_app.settings import Settings, SettingsError, refused_file
from ari_app.store import geography
from ari_app.store.calls import calls
from ari_app.store.calls.aside import Aside
from ari_app.store.calls.journal import ASIDE, unreadable
from ari_app.store.calls.spool import Spool
from ari_app.store.db import schema
from ari_app.store.db.engine import open_engine
from ari_app.store.db.errors import DocumentUnreadable, StoreError
from ari_app.store.geography import GeographyError
from ari_app.store.ledger import ledger
from ari_app.store.market import marketplaces
from ari_app.watch.asteriskchecks import check_asterisk, check_phones_in_clear, check_trunk_state, look
from ari_app.watch.certificate import check_certificate
from ari_app.watch.finding import Finding, Step, some
from ari_app.watch.runningchecks import check_agi, check_chores, check_saving, check_supervision, check_switch

SECRETS = ("ari", "ami")
ROOM_BYTES = 500_000_000
CLOCK_OFF_MS = 5_000
LOOKED_THROUGH = 500  # how many of the last calls
LATE_S = 60.0  # a line that the AGI server has not saved after this time is late


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which to repair them."""
    yield check_speech()
    yield check_disk(settings)
    yield from check_secrets(settings)
    yield from check_certificate(settings, now_ms())
    marketplace = None
    try:
        engine = open_engine(settings.database_url)
        marketplace = read_marketplace(engine)
        yield Finding("database", True, "reachable and migrated")
        yield check_marketplace(marketplace)
        if marketplace is not None:
            yield check_limits(marketplace, ledger.available(engine), now_ms())
            yield check_remarks(marketplace)
            yield check_area_codes(settings, marketplace, calls.callers_by_area_code(engine, _a_week_ago()))
            changed_at = marketplaces.changed_at(engine)
            yield check_dates(changed_at, now_ms())
            yield check_carriers(calls.latest(engine, LOOKED_THROUGH, since=changed_at))
    except DocumentUnreadable as error:
        yield Finding("marketplace", False, str(error), "upgrade this Callrace")
    except StoreError as error:
        yield Finding("database", False, str(error), f"see CALLRACE_DATABASE_URL; {Step.MIGRATE}")
    yield check_spool(settings)
    yield check_set_aside(settings)
    yield check_outcomes(settings)
    yield check_prompts(settings, marketplace)
    try:
        view = asterisk.ask(settings, look)
        yield Finding("asterisk", True, f"answers on {settings.ari_host}:{settings.ari_port}")
        yield from check_asterisk(view, marketplace)
    except (AriError, SettingsError) as error:
        remedy = f"{Step.START}, or see CALLRACE_ASTERISK and secrets/ari"
        yield Finding("asterisk", False, str(error), remedy)
    yield check_trunk_state(settings)
    yield from check_phones_in_clear(settings)
    yield check_switch(settings)
    yield from check_saving(settings)
    yield from check_chores(settings)
    yield check_agi(settings)
    yield from check_supervision(settings)


def check_speech(which: Callable[[str], str | None] = shutil.which) -> Finding:
    """Checks that `tts:` prompts can be rendered."""
    program = speech_program(which)
    if program is None:
        return Finding("speech", False, "neither flite nor espeak-ng is installed", "apt-get install flite")
    return Finding("speech", True, program)


def check_disk(settings: Settings) -> Finding:
    """Checks free space and write permission for saving calls: database, spool, journal, recordings."""
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
    """Checks that the passwords exist, and that no other user can read them."""
    for name in SECRETS:
        path = settings.home / "secrets" / name
        try:
            mode = path.stat().st_mode & 0o777
        except OSError as error:
            remedy = f"{Step.START}, or put Asterisk's password there"
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
    """Checks that a marketplace is in force."""
    if marketplace is None:
        return Finding("marketplace", False, "none was applied", Step.APPLY)
    detail = f"{len(marketplace.numbers)} numbers, {len(marketplace.destinations)} destinations"
    return Finding("marketplace", True, detail)


def check_limits(marketplace: Marketplace, available: Available, now: int) -> Finding:
    """Checks that each live campaign's caps and funds have room for a call."""
    short = [shortage.words for shortage in outlook(marketplace, available, now) if shortage.admits == 0]
    remedy = f"raise the cap, lower the campaign's max_duration, or {Step.DEPOSIT}"
    return Finding("caps and funds", not short, some(short) or "have room for calls", remedy)


def check_remarks(marketplace: Marketplace) -> Finding:
    """Checks for hours and time zones that are valid but probably not intended."""
    doubtful = [f"{remark.path}: {remark.words}" for remark in remarks(marketplace)]
    detail = some(doubtful) or "say what is probably meant"
    return Finding("hours and zones", True, detail, f"change them; {Step.APPLY}", bool(doubtful))


def check_area_codes(settings: Settings, marketplace: Marketplace, callers: Mapping[str, int]) -> Finding:
    """Checks that the area codes of last week's callers are known."""
    try:
        tables = overlaid(geography.load(settings.home), marketplace.geography)
    except GeographyError as error:
        return Finding("area codes", False, str(error), f"make room in {settings.home}")
    unknown = unknown_codes(callers, tables)
    if not unknown:
        return Finding("area codes", True, "those of last week's callers are known")
    codes = some(f"{code} ({count})" for code, count in unknown.items())
    detail = f"{sum(unknown.values())} of last week's callers have area codes that are not known: {codes}"
    remedy = f"put their states (nanpa.com) under geography: area_codes; {Step.APPLY}"
    return Finding("area codes", True, detail, remedy, is_doubtful=True)


def check_dates(changed_at: int, now: int) -> Finding:
    """Checks that the last change of the marketplace or of a number (ms) is not later than this machine's clock."""
    ahead_ms = changed_at - now
    if ahead_ms <= CLOCK_OFF_MS:
        return Finding("dates", True, "the last change is dated no later than now")
    detail = (
        f"the last change is dated {iso(changed_at)}, {ahead_ms // 1000} s ahead of this machine's clock: until then "
        "every change is dated the same, and the dialplan's own calls are judged as before them"
    )
    remedy = (
        "set the clock right (NTP); if it is, one who made that change had a clock ahead: wait until then"
    )
    return Finding("dates", False, detail, remedy)


def check_carriers(records: Sequence[CallRecord]) -> Finding:
    """Checks whether carriers sent numbers or attestations in places that the trunks' rules do not read."""
    unread = Counter(
        f"{e.what}: in {e.detail}" for record in records for e in record.events if e.what in UNREAD
    )
    if not unread:
        return Finding("carriers", True, f"nothing unread in the last {len(records)} calls")
    detail = some(
        f"{what} ({count} of the last {len(records)} calls)" for what, count in unread.most_common()
    )
    remedy = f"say where it stands in the trunk's number_in, prefix or attestation_from, and {Step.APPLY}"
    return Finding("carriers", False, detail, remedy)


def check_prompts(settings: Settings, marketplace: Marketplace | None) -> Finding:
    """Checks that the audio files of the marketplace's prompts are where Asterisk looks for them."""
    if marketplace is None:
        return Finding("prompts", True, "none needed before a marketplace is applied")
    files = [f"{stem(p)}.wav" for p in prompts_of(marketplace) if not p.startswith("sound:")]
    missing = [name for name in files if not (settings.prompts / name).exists()]
    if missing:
        detail = f"missing in {settings.prompts}: {some(missing)}"
        return Finding("prompts", False, detail, f"{Step.APPLY} again")
    return Finding("prompts", True, f"{len(files)} files in {settings.prompts}")


def check_spool(settings: Settings) -> Finding:
    """Checks for ended calls that wait to be saved, or that the database refused."""
    spool = Spool(settings.spool)
    refused = spool.refused()
    detail = f"{len(spool)} calls wait for the database, {refused} were refused"
    if refused:
        remedy = f"see {Step.SEE_SPOOL} for the reasons; then {Step.SAVE_SPOOL}"
        return Finding("spool", False, detail, remedy)
    remedy = f"a running switch saves them when the database is back; or {Step.SAVE_SPOOL}"
    return Finding("spool", not len(spool), detail if len(spool) else "empty", remedy)


def check_set_aside(settings: Settings) -> Finding:
    """Checks for calls of an earlier switch that the next switch could not recover."""
    reasons = Aside(settings.journal / ASIDE).reasons()
    lines = unreadable(settings.journal)
    if not reasons and lines:
        detail = f"a line of the journal was no call that this Callrace can read: {some(map(str, lines))}"
        return Finding("set aside", False, detail, "look whose calls they are; then remove the file")
    if not reasons:
        return Finding("set aside", True, "no call")
    detail = some(f"call {call_id} ({' '.join(why.split())})" for call_id, why in reasons.items())
    remedy = (
        "nobody is charged for them yet; each start of a switch tries again: start one that can read them"
    )
    return Finding("set aside", False, detail, remedy)


def check_outcomes(settings: Settings) -> Finding:
    """Checks for lines about calls served by the dialplan that were refused, or that wait too long to be saved."""
    files = (one for file in settings.fallback_files for one in (file, file.with_suffix(".aside")))
    late = [path for path in files if path.exists() and time.time() - path.stat().st_mtime > LATE_S]
    if late:
        detail = some(f"{_lines(path)} lines of {path} are not saved yet" for path in late)
        remedy = f"see why in {running.log_file(settings, 'agi')}, or {Step.START_AGI}; nothing is lost"
        return Finding("dialplan's calls", False, detail, remedy)
    refused = {
        path: _lines(path) for file in settings.fallback_files if (path := refused_file(file)).exists()
    }
    if not refused:
        return Finding("dialplan's calls", True, "no line was refused")
    detail = some(f"{count} lines in {path}" for path, count in refused.items())
    remedy = (
        "the AGI server's log says why; put right what can be, append it to the .csv beside, remove the file"
    )
    return Finding("dialplan's calls", False, f"refused: {detail}", remedy)


def _a_week_ago() -> int:
    return now_ms() - 7 * 86_400_000


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
