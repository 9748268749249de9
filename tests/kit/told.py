"""A market in which everything has happened once, and what each command tells of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Engine

from ari_app.cli import lab
from ari_app.cli.common import acting, site
from ari_app.desk import people
from ari_app.domain.calls.geo import Geography
from ari_app.domain.calls.record import TimelineEvent, Tracks
from ari_app.domain.calls.stage import Stage
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.legs import Leg, Phase
from ari_app.domain.routing.snapshot import make_snapshot
from ari_app.serving import running
from ari_app.serving.running import only, only_switch
from ari_app.settings import Settings
from ari_app.store.calls import calls
from ari_app.store.calls.spool import Spool
from ari_app.store.db.engine import open_engine
from ari_app.switch.live import live_view
from ari_app.watch.supervision import Seen
from tests.kit.switch import assembled
from tests.samples import BEGAN, make_call, settlement, transferred, waiting, with_late_bonus
from tests.unit.cli.fake_switch import Server

Cli = Callable[..., Result]
FAR = 10**13

MARKET = """\
currency: USD
advertisers:
  acme:
    name: Acme Plumbing
    dispute_window: 3650d
    billing: {model: postpaid, credit_limit: "10.00"}
    caps: [{max: 100, per: day}, {max_amount: "500.00", per: month}, {concurrent: 3}]
publishers:
  homefix: {name: HomeFix}
  radio: {name: Radio}
destinations:
  agent-1: {advertiser: acme, dial: {uri: "sip:agent-1@127.0.0.1:5071"}, covers: {states: [NY]}}
  agent-2: {advertiser: acme, dial: {extension: agent-2}, covers: {anywhere: true}}
flows:
  intake:
    start: zip
    nodes:
      zip: {collect: {prompt: "tts:Enter your ZIP code.", digits: 5, as: zip, check: us-zip}, next: offer}
      offer: {offer: true}
campaigns:
  plumbing:
    advertiser: acme
    price: "42.00"
    payout: "30.00"
    flow: intake
    route: {waves: [{destinations: [agent-1, agent-2]}]}
    qualify: [{connected_at_least: 90s}]
    screen: {block: ["+1900*"]}
creatives:
  sms: {campaign: plumbing, kind: text, text: "Burst pipe? Call {number}"}
numbers:
  "+18005550101": {campaign: plumbing, publisher: homefix, source: sidebar}
"""
STOCK = "did,kind,region,trunk\n+12125550100,local,NY,main\n+12125550101,local,NY,main\n"


class Told(dict[str, list[Any]]):
    """By command, what it told, each time that it was asked."""

    def __init__(self, cli: Cli) -> None:
        super().__init__()
        self._cli = cli

    def __call__(self, command: str, *words: str, code: int = 0, **options: Any) -> Any:
        """Asks a command, which ends with this exit code; returns what it tells."""
        result = self._cli(*command.split(), *words, "--json", **options)
        assert result.exit_code == code, (command, result.output, result.exception)
        said = json.loads(result.stdout)
        self.setdefault(command, []).append(said)
        return said


def everything(cli: Cli, settings: Settings, engine: Engine, folder: Path) -> Told:
    """Asks every command that has something to tell without a switch."""
    tell = Told(cli)
    market = folder / "market.yaml"
    market.write_text(MARKET)
    _market(tell, market, folder)
    _numbers(tell)
    _calls(tell, settings, engine)
    _money(tell)
    _reports(tell, market)
    _people(tell)
    _keys(tell)
    _upkeep(tell)
    return tell


def _market(tell: Told, market: Path, folder: Path) -> None:
    tell("db upgrade")
    tell("db status")
    tell("marketplace init", "--currency", "USD")
    tell("plan", str(market))
    tell("apply", str(market))
    tell("flow check", str(market))
    tell("export")
    tell("advertisers add", "other", "--name", "Other")
    tell("publishers add", "spare", "--name", "Spare")
    tell("destinations add", "desk", "--advertiser", "other", "--uri", "sip:desk@pbx.example", "--anywhere")
    tell("destinations move", "desk", "--advertiser", "acme")
    tell("flows add", str(_written(folder / "flows.yaml", "bye: {start: a, nodes: {a: {offer: true}}}\n")))
    tell(
        "campaigns create", "roofing", "--advertiser", "acme", "--price", "20.00", "--payout", "10.00",
    )  # fmt: skip
    tell("campaigns set", "roofing", "price=21.00", "route.waves=[{destinations: [desk]}]")
    for step in ("start", "pause", "end"):
        tell(f"campaigns {step}", "roofing")
    tell("creatives add", "tweet", "--campaign", "plumbing", "--kind", "text", "--text", "Call {number}")
    tell("creatives reject", "tweet", "--reason", "too short")
    tell("creatives approve", "sms")
    tell("creatives export", "sms", "--publisher", "homefix", "--out", str(folder / "ads"))
    for noun, name in (
        ("advertisers", "acme"), ("publishers", "homefix"), ("destinations", "agent-1"), ("flows", "intake"),
        ("campaigns", "plumbing"), ("creatives", "sms"),
    ):  # fmt: skip
        tell(f"{noun} list")
        tell(f"{noun} show", name)
    for noun, name in (
        ("creatives", "tweet"), ("campaigns", "roofing"), ("flows", "bye"), ("destinations", "desk"),
        ("advertisers", "other"), ("publishers", "spare"),
    ):  # fmt: skip
        tell(f"{noun} remove", name)


def _written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def _numbers(tell: Told) -> None:
    tell("numbers import", "-", input=STOCK)
    tell("applications submit", "--campaign", "plumbing", "--publisher", "radio", "--note", "radio in Albany")
    tell("applications decline", "1", "--reason", "no licence")
    tell("applications submit", "--campaign", "plumbing", "--publisher", "radio")
    tell("applications approve", "1", "--state", "NY")
    tell("applications suspend", "1", "--reason", "bought traffic")
    tell("applications reinstate", "1")
    tell("applications list")
    tell("applications show", "1")
    given = tell("numbers assign", "--campaign", "plumbing", "--publisher", "homefix", "--source", "radio")
    tell("numbers release", given["did"])
    tell("numbers list", "--status", "any")
    tell("numbers list", "--history", given["did"])
    tell("numbers history", given["did"])
    tell("numbers stock")
    tell("agents pause", "agent-1", "--reason", "lunch")
    tell("agents list")
    tell("agents resume", "agent-1")
    tell("audit list")


def _calls(tell: Told, settings: Settings, engine: Engine) -> None:
    settings.recordings.mkdir()
    recorded = make_call(
        1,
        recording=Tracks(BEGAN + 21_000, FAR),
        events=[TimelineEvent(BEGAN + 21_000, "recording started")],
    )
    deleted = make_call(2, recording=Tracks(BEGAN + 21_000, FAR))
    records = [recorded, deleted, make_call(3), transferred(4), waiting(5, days=3650), with_late_bonus(6)]
    calls.save(engine, [settlement(record) for record in records])
    spool = Spool(settings.spool)
    spool.put([settlement(make_call(7))])
    spool.refuse(settlement(make_call(8)), "the number is too long")
    tell("recordings delete", deleted.id, "--reason", "the caller asked for it")
    tell("recordings list")
    tell("recordings expire")
    tell("conversions post", records[5].id, "--at", "2025-11-24T09:30-05:00", "--ref", "order-1", code=0)
    tell("conversions post", records[4].id, "--at", "2025-11-24T09:30-05:00", "--ref", "order-2")
    tell("conversions import", "-", input=f"call,at,ref\n{records[2].id},2025-11-24T09:30-05:00,4711\n")
    tell("conversions list")
    tell("conversions list", "--pending")
    tell("conversions expire")
    tell("calls list")
    for record in records:
        tell("calls show", record.id)
        tell("calls explain", record.id)


def _money(tell: Told) -> None:
    tell("ledger deposit", "acme", "500.00", "--key", "wire-1")
    tell("ledger refund", "acme", "1.00", "--key", "back-1", "--reason", "they asked")
    first, second, third, *_ = tell["calls list"][0]
    tell("ledger adjust", first["id"], "--price", "-1.00", "--reason", "goodwill", "--key", "case-1")
    tell("disputes open", second["id"], "--reason", "a robot")
    tell("disputes open", third["id"], "--reason", "too short", "--amount", "1.00")
    tell("disputes accept", "1", "--reason", "it was")
    tell("disputes reject", "2", "--reason", "it was not")
    tell("disputes list")
    tell("disputes show", "1")
    tell("calls show", second["id"])
    tell("ledger balances")
    tell("ledger statement", "advertiser:acme")
    tell("ledger verify")
    tell("invoices issue", "--advertiser", "acme", "--period", "2025-11")
    tell("invoices list")
    tell("invoices show", "1")
    tell("invoices show", "1", "--items")
    tell("payouts run", "--until", "2025-11-01", "--key", "run-1", "--dry-run")
    tell("payouts run", "--until", "2025-12-31", "--key", "run-1")
    tell("payouts list")
    tell("payouts show", "run-1")
    tell("payouts show", "run-1", "--items")
    tell("payouts statement", "--publisher", "homefix", "--period", "2025-11")
    tell("caps list")


def _reports(tell: Told, market: Path) -> None:
    period = ("--since", "2025-11-23", "--until", "2025-11-26", "--tz", "UTC")
    for by in (
        "campaign",
        "publisher",
        "source",
        "destination",
        "advertiser",
        "state",
        "hour",
        "day",
        "disposition",
    ):
        tell("reports by", by, *period)
    tell("reports forensics", *period)
    tell("reports forensics", *period, "--campaign", "plumbing")
    tell("reports rebuild")
    call = ("--did", "+18005550101", "--ani", "+12125550142")
    tell("route explain", "--did", "+18005559999")
    tell("route explain", *call, "--press", "10001,7")
    tell("route explain", *call, "--press", "90210")
    tell("route explain", "--did", "+18005550101", "--press", "")
    tell("route explain", "--did", "+18005550101", "--ani", "+19005550142")
    market.write_text(MARKET.replace("90s", "200s"))
    tell("qualify replay", "--since", "2025-01-01", "--terms", str(market))
    tell("plan", str(market))
    market.write_text(MARKET.replace("    name: Acme", "    timezone: EST\n    name: Acme"))
    tell("plan", str(market))
    market.write_text(
        MARKET.replace("acme", "zeta").replace("  homefix: {name: HomeFix}\n", "").replace("homefix", "radio")
    )
    tell("plan", str(market))


def _people(tell: Told) -> None:
    tell("people invite", "ada@example.com", "--party", "operator", "--role", "owner")
    tell("people remove", "ada@example.com", "--party", "operator")
    people.add(site(), acting(), "joe@acme.example", "Joe", "advertiser:acme", "manager")
    tell("people list")
    tell("people sign-in-link", "joe@acme.example")
    tell("visibility set", "publisher:homefix", "caller_numbers", "whole")
    tell("visibility list")


def _keys(tell: Told) -> None:
    tell("keys create", "--purpose", "export", "--scope", "calls:read")
    tell("keys create", "--party", "advertiser:acme", "--purpose", "CRM", "--scope", "conversions:write")
    tell("keys revoke", "1")
    tell("keys list")
    tell("keys list", "--party", "advertiser:acme")


def _upkeep(tell: Told) -> None:
    tell("spool list")
    tell("spool retry")
    tell("doctor", code=1)
    tell("daily")
    tell("privacy erase", "+12125550001")
    tell("privacy expire", "--older-than", "3650d")


def of_a_switch(tell: Told, settings: Settings, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Asks every command that speaks with a switch. Its status is a real one's, its calls are made up."""
    script = _written(folder / "lab", "echo Asterisk 22 at nowhere\n")
    monkeypatch.setattr(lab, "SCRIPT", script)
    monkeypatch.setattr(running, "drain", lambda *_: 2)
    monkeypatch.setattr(running, "hand_over", lambda *_: 2)
    record = make_call(1)
    leg = Leg(1, 1, record.legs[0], phase=Phase.RINGING)
    calls_under_way = [live_view(record, Stage.WAITING, [leg]), live_view(record, Stage.TALKING)]
    servers = only(settings, "agi"), only(settings, "web")
    with only_switch(settings), servers[0], servers[1], Server(settings, _status(folder), calls_under_way):
        tell("live")
        tell("calls live")
        tell("agents list")
        tell("lab status", code=1)
        tell("switch drain")
        tell("switch hand-over")


def _status(folder: Path) -> dict[str, Any]:
    writer: Any = SimpleNamespace(backlog=lambda: 1, problem=lambda: "database is locked", refused=lambda: 0)
    engine = open_engine(f"sqlite:///{folder}/none.db")
    switch = assembled(engine, folder, writer=writer).switch
    marketplace = parse(MARKET, "test.yaml")
    switch.market.snapshot = make_snapshot(1, marketplace, {"plumbing": 1}, Geography({}, {}), {})
    seen = Seen(trunks={"main": ("sip:gw Reachable",)}, registrations={"sip:reg.example": "Registered"})
    switch.supervised(seen.json(), ())
    return switch.status()
