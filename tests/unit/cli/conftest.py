"""A home of its own for each test: a migrated database, a little geography, no Asterisk, no switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from ari_app.cli.main import main
from ari_app.domain.calls.geo import Geography
from ari_app.domain.document.reading import parse
from ari_app.media import prompts
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls import calls
from ari_app.store.market import marketplaces
from ari_app.store.money import audit
from tests.kit.database import migrated
from tests.samples import BEGAN, make_call, settlement, unqualified

Cli = Callable[..., Result]

GEOGRAPHY = Geography(
    zips={
        "10001": ("NY", 40.75, -73.99, "America/New_York"),
        "90210": ("CA", 34.09, -118.41, "America/Los_Angeles"),
    },
    area_codes={"212": ("NY", "America/New_York"), "310": ("CA", "America/Los_Angeles")},
)

MARKETPLACE = """\
currency: USD
advertisers:
  acme: {name: Acme Plumbing, timezone: America/New_York}
publishers:
  homefix: {name: HomeFix}
destinations:
  agent-1:
    advertiser: acme
    dial: {uri: "sip:agent-1@127.0.0.1:5071"}
    covers: {states: [NY]}
    hours: {open: ["mon-fri 08:00-20:00"]}
  agent-2:
    advertiser: acme
    dial: {extension: agent-2}
    covers: {zip: "10001", radius_miles: 50}
    capacity: 2
  overflow:
    advertiser: acme
    dial: {phone: "+12125550123", trunk: main}
    covers: {anywhere: true}
flows:
  intake:
    start: service
    nodes:
      service:
        menu: {prompt: "tts:For a repair, press 1."}
        choices: {"1": {set: {service: repair}, next: zip}}
        on_invalid: goodbye
      zip:
        collect: {prompt: "tts:Enter your ZIP code.", digits: 5, as: zip, check: us-zip}
        next: offer
      offer: {offer: true}
      goodbye: {play: "sound:vm-goodbye", hangup: true}
campaigns:
  plumbing:
    advertiser: acme
    price: "42.00"
    payout: "30.00"
    flow: intake
    screen: {block: ["+1900*"]}
    route:
      waves:
        - {destinations: [agent-1, agent-2]}
        - {destinations: [overflow], after: 12s}
    qualify:
      - {connected_at_least: 90s}
numbers:
  "+18005550101": {campaign: plumbing, publisher: homefix, source: sidebar}
  "+18005550102": {campaign: plumbing, publisher: homefix}
"""


_speak = prompts._speak


@cache
def _spoken(text: str) -> bytes:
    """A prompt's WAV file: a text is spoken once, not for each test."""
    with TemporaryDirectory() as folder:
        part = Path(folder) / "spoken.wav"
        _speak(text, part)
        return part.read_bytes()


@contextmanager
def new_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of a new home, for as long as the block lasts. Its path is short: a Unix socket's may have 107
    characters.
    """
    monkeypatch.setattr(geography, "load", lambda home: GEOGRAPHY)
    monkeypatch.setattr(prompts, "_speak", lambda text, part: part.write_bytes(_spoken(text)))
    with TemporaryDirectory(prefix="callrace-") as home:
        for name in ("CALLRACE_ASTERISK", "CALLRACE_DATABASE_URL", "CALLRACE_ASTERISK_ROOT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("CALLRACE_HOME", home)
        monkeypatch.setenv("CALLRACE_ARI_PORT", "1")
        monkeypatch.setenv("CALLRACE_AMI_PORT", "1")
        yield Settings.from_env()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The settings of a home of its own."""
    with new_home(monkeypatch) as settings:
        yield settings


@pytest.fixture
def engine(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Engine]:
    """The home's database, migrated. Its ledger is in order at the end, unless a test breaks it on purpose."""
    engine = migrated(settings.home / "callrace.db")
    yield engine
    if "breaks_the_ledger" not in request.keywords:
        assert audit.prove(engine, BEGAN).findings == []
    engine.dispose()


@pytest.fixture
def applied(engine: Engine) -> Engine:
    """The database with MARKETPLACE in force."""
    marketplaces.apply(engine, parse(MARKETPLACE, "test.yaml"), now=1_763_900_000_000)
    return engine


def run(*words: str, **options: Any) -> Result:
    """Runs `callrace` with these words, in a pipe."""
    return CliRunner().invoke(main, list(words), **options)


@pytest.fixture
def cli(settings: Settings) -> Cli:
    """`run`, with settings."""
    return run


@pytest.fixture
def sounds(settings: Settings) -> Path:
    """The sounds of an Asterisk that is installed in the home."""
    assert settings.asterisk_root is not None
    folder = settings.asterisk_root / "usr/share/asterisk/sounds/en_US_f_Allison"
    folder.mkdir(parents=True)
    for name in ("vm-goodbye", "vm-nobodyavail", "pbx-invalid"):
        (folder / f"{name}.wav").touch()
    return folder


def refusal(result: Result) -> str:
    """The one line of a command that was refused, with exit code 1."""
    assert result.exit_code == 1, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def saved(applied: Engine) -> Engine:
    """The database with two calls: a paid one, and one that was too short."""
    calls.save(applied, [settlement(make_call(1)), settlement(unqualified(2))])
    return applied
