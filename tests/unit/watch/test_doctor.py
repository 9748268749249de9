"""The doctor's checks: each finds what is wrong, and names the remedy."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ari_app.ari.client import connect
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import TimelineEvent
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.document.reading import parse
from ari_app.domain.routing.recovery import UnderWay
from ari_app.lab.ports import free_tcp_ports
from ari_app.serving import running
from ari_app.settings import Settings
from ari_app.store import geography
from ari_app.store.calls.aside import Aside
from ari_app.store.calls.journal import Journal
from ari_app.watch import ami, asteriskchecks, doctor, runningchecks
from ari_app.watch.ami import AmiError, EndpointState
from ari_app.watch.asteriskchecks import MODULES, AsteriskView
from ari_app.watch.finding import Finding, Step
from tests.kit.market import marketplace
from tests.samples import make_call
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport
from tests.unit.cli.conftest import GEOGRAPHY

WELL = AsteriskView(
    info={"system": {"version": "22.10.1+dfsg"}},
    modules=dict.fromkeys(MODULES, "Running"),
    endpoints=frozenset({"carrier", "agents"}),
    sounds=frozenset({"vm-nobodyavail", "pbx-invalid"}),
)


NOW = 1_763_992_800_000  # 2025-11-24T14:00:00Z


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with nothing in it."""
    return Settings(tmp_path, f"sqlite:///{tmp_path}/callrace.db")


def wrong(view: AsteriskView) -> Finding:
    """The one finding that is not ok."""
    [finding] = [finding for finding in asteriskchecks.check_asterisk(view, None) if not finding.ok]
    assert finding.remedy
    return finding


def test_an_asterisk_in_order_has_nothing_wrong() -> None:
    looked_at = {finding.name: finding.ok for finding in asteriskchecks.check_asterisk(WELL, None)}
    names = ("version", "clock", "modules", "endpoint carrier", "endpoint agents", "sounds")
    assert looked_at == dict.fromkeys(names, True)


def test_an_old_asterisk_is_found_with_the_reason() -> None:
    finding = wrong(replace(WELL, info={"system": {"version": "22.9.0"}}))
    assert finding.name == "version"
    assert "22.10.1 closes twenty security advisories" in finding.detail


@pytest.mark.parametrize(
    ("ahead_ms", "told"),
    [
        (5_000, "Asterisk's is 5.0 s ahead of this machine's"),
        (-1_250, "Asterisk's is 1.2 s behind this machine's"),
    ],
)
def test_clocks_that_are_apart_are_found_with_how_far(ahead_ms: int, told: str) -> None:
    finding = wrong(replace(WELL, clock_ahead_ms=ahead_ms))
    assert (finding.name, finding.detail) == ("clock", told)


@pytest.mark.parametrize("ahead_ms", [-5_000, 0, 5_000])
async def test_how_far_asterisks_clock_is_ahead_is_seen_to_half_a_round_trip(
    ahead_ms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_795_460_389_000]
    monkeypatch.setattr(asteriskchecks, "now_ms", lambda: now[0])
    takes = iter([900, 40, 300])

    def answer(request: Request) -> None:
        if request.uri == "asterisk/ping":
            there = datetime.fromtimestamp((now[0] + ahead_ms) / 1000, UTC)
            now[0] += next(takes)  # all of it on the way back
            transport.script["GET asterisk/ping"] = (200, {"timestamp": there.isoformat()})

    transport = ScriptedTransport()
    transport.before_answer = answer
    async with connect(SETTINGS, lambda start: None, transport) as client:
        assert await asteriskchecks.clock_ahead_ms(client) == ahead_ms - 20


def test_a_module_that_is_missing_or_does_not_run_is_named() -> None:
    modules = {**WELL.modules, "chan_pjsip": "Not Running"}
    del modules["res_pjsip_rfc3326"]
    assert wrong(replace(WELL, modules=modules)).detail == "not running: chan_pjsip, res_pjsip_rfc3326"


def test_many_missing_modules_are_counted() -> None:
    assert wrong(replace(WELL, modules={})).detail.endswith(f" and {len(MODULES) - 5} more")


def test_a_missing_endpoint_is_named() -> None:
    assert wrong(replace(WELL, endpoints=frozenset({"agents"}))).name == "endpoint carrier"


def test_a_missing_sound_is_named() -> None:
    assert wrong(replace(WELL, sounds=frozenset({"pbx-invalid"}))).detail == (
        "Asterisk has no sound vm-nobodyavail"
    )


def test_a_password_that_others_can_read_is_found(settings: Settings) -> None:
    folder = settings.home / "secrets"
    folder.mkdir()
    for name, mode in (("ari", 0o600), ("ami", 0o644)):
        (folder / name).write_text("secret")
        (folder / name).chmod(mode)
    ari, ami_ = doctor.check_secrets(settings)
    assert ari.ok
    assert (ami_.ok, ami_.remedy) == (False, f"chmod 600 {folder}/ami")


def test_a_missing_password_is_found(settings: Settings) -> None:
    assert [finding.ok for finding in doctor.check_secrets(settings)] == [False, False]


def test_a_missing_speech_program_is_found() -> None:
    assert doctor.check_speech(lambda name: None).remedy == "apt-get install flite"
    assert doctor.check_speech(lambda name: "/bin/espeak-ng" if name == "espeak-ng" else None).ok


def test_a_switch_that_does_not_run_is_found(settings: Settings) -> None:
    assert runningchecks.check_switch(settings) == Finding(
        "switch", False, "no switch is running", Step.START
    )


def test_a_call_that_could_not_be_taken_up_is_found_with_the_reason(settings: Settings) -> None:
    assert doctor.check_set_aside(settings).ok
    call = make_call()
    Aside(settings.journal / "aside").put(UnderWay(call, {"caller": "c1"}, 7), "there is no\nmarketplace 7")
    finding = doctor.check_set_aside(settings)
    assert (finding.ok, finding.detail) == (False, f"call {call.id} (there is no marketplace 7)")
    assert "start" in finding.remedy


def test_a_line_of_the_journal_that_could_not_be_read_is_found(settings: Settings) -> None:
    settings.journal.mkdir()
    (settings.journal / "1.jsonl").write_text("{}\n")
    Journal(settings.journal)
    finding = doctor.check_set_aside(settings)
    assert not finding.ok
    assert finding.detail.endswith("1.jsonl.unreadable")


def test_lines_of_the_dialplan_that_were_refused_are_found(settings: Settings) -> None:
    assert doctor.check_outcomes(settings).ok
    file = settings.fallback_files[1].with_suffix(".refused")
    file.write_text("nonsense\nmore of it\n")
    finding = doctor.check_outcomes(settings)
    assert (finding.ok, finding.detail) == (False, f"refused: 2 lines in {file}")


def test_lines_of_the_dialplan_that_nobody_saves_are_found(settings: Settings) -> None:
    """As while the AGI server fails at it, or none runs."""
    aside = settings.fallback_files[0].with_suffix(".aside")
    aside.parent.mkdir(parents=True)
    aside.write_text("one\ntwo\n")
    assert doctor.check_outcomes(settings).ok
    os.utime(aside, (0, time.time() - 61))
    finding = doctor.check_outcomes(settings)
    assert (finding.ok, finding.detail) == (False, f"2 lines of {aside} are not saved yet")


def test_what_the_switch_does_again_and_again_and_cannot_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = {
        "marketplace_version": 1,
        "unreadable_marketplace": "marketplace 2 cannot be read",
        "failing_chores": {"looking at caps": "locked"},
    }
    monkeypatch.setattr(running, "ask", lambda settings, path: status)
    marketplace_, caps = runningchecks.check_chores(settings)
    assert marketplace_.detail == "the switch goes on with marketplace 1: marketplace 2 cannot be read"
    assert (caps.name, caps.ok, caps.detail) == ("looking at caps", False, "the switch cannot: locked")
    assert marketplace_.remedy
    assert caps.remedy


def test_what_supervision_sees_wrong_is_found_with_its_remedy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {
        "problem": "",
        "trunks": [
            {"trunk": "main", "up": False, "contacts": ["sip:gw Unreachable"]},
            {"trunk": "carrier", "up": True, "contacts": []},
        ],
        "registrations": {"sip:good": "Registered", "sip:bad": "Rejected"},
        "channels": 3,
        "memory_bytes": 150_000_000,
        "phones": {"INUSE": 2},
        "overloaded": {"stasis/m:cache": 501},
        "stray_legs": 1,
    }
    monkeypatch.setattr(running, "ask", lambda *_: {"supervision": seen})
    findings = list(runningchecks.check_supervision(settings))
    assert [(f.name, f.ok, f.detail) for f in findings] == [
        ("supervision", True, "channels 3, phones: 2 inuse, Asterisk 150 MB"),
        ("trunk main out", False, "sip:gw Unreachable"),
        ("registration sip:bad", False, "Rejected"),
        ("task processors", False, "overloaded in the last minutes: stasis/m:cache (501 tasks)"),
        ("stray legs", False, "1 legs in Asterisk have lost their call"),
    ]
    assert all(finding.ok or finding.remedy for finding in findings)


def test_a_switch_without_ami_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "ask", lambda *_: {"supervision": {"problem": "AMI does not answer"}})
    [finding] = runningchecks.check_supervision(settings)
    assert (finding.ok, finding.detail) == (False, "AMI does not answer")
    assert "CALLRACE_AMI_PORT" in finding.remedy


def test_without_a_switch_supervision_is_no_finding_of_its_own(settings: Settings) -> None:
    assert list(runningchecks.check_supervision(settings)) == []


@pytest.mark.parametrize(
    ("state", "ok", "told"),
    [
        (EndpointState(("10.0.0.1",), ()), True, "calls come in from 10.0.0.1"),
        (EndpointState(("10.0.0.1",), ("sip:a Reachable",)), True, "contacts: sip:a Reachable"),
        (EndpointState((), ()), False, "no address is identified as it"),
        (None, False, "no address is identified as it"),
    ],
)
def test_a_trunk_that_no_address_is_identified_as_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, state: EndpointState | None, ok: bool, told: str
) -> None:
    monkeypatch.setattr(ami, "endpoint_state", lambda *_: state)
    finding = asteriskchecks.check_trunk_state(settings)
    assert finding.ok is ok
    assert told in finding.detail


def test_an_ami_that_does_not_answer_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AmiError("AMI does not answer on 127.0.0.1:5038")

    monkeypatch.setattr(ami, "endpoint_state", fail)
    assert asteriskchecks.check_trunk_state(settings).detail == "AMI does not answer on 127.0.0.1:5038"


def test_a_home_that_cannot_be_written_is_found(settings: Settings) -> None:
    finding = doctor.check_disk(replace(settings, home=settings.home / "gone"))
    assert (finding.ok, finding.detail) == (
        False,
        f"{settings.home}/gone cannot be written: No such file or directory",
    )


def test_a_disk_that_is_nearly_full_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.check_disk(settings).ok
    monkeypatch.setattr(doctor, "ROOM_BYTES", 10**18)
    assert not doctor.check_disk(settings).ok


def test_an_agi_server_that_does_not_answer_is_found(settings: Settings) -> None:
    (port,) = free_tcp_ports(1)
    finding = runningchecks.check_agi(replace(settings, agi_port=port))
    assert not finding.ok
    assert f"nothing answers on 127.0.0.1:{port} (Connection refused)" in finding.detail


def test_a_destination_whose_phone_asterisk_does_not_know_is_named() -> None:
    document = marketplace({"one": "sip:one@127.0.0.1:5071", "desk": "sip:desk@127.0.0.1:5072"})
    document["destinations"]["desk"]["dial"] = {"extension": "desk-7"}
    known = parse(json.dumps(document), "test.yaml")
    [finding] = asteriskchecks.check_phones(WELL, known)
    assert finding.detail == "Asterisk has no PJSIP endpoint of desk (desk-7)"
    assert not list(asteriskchecks.check_phones(replace(WELL, endpoints=WELL.endpoints | {"desk-7"}), known))
    without_agents = replace(WELL, endpoints=frozenset({"desk-7"}))  # a finding of its own
    assert not list(asteriskchecks.check_phones(without_agents, known))


@pytest.mark.parametrize(
    ("changed_at", "ok"), [(0, True), (NOW, True), (NOW + 5_000, True), (NOW + 5_001, False)]
)
def test_a_change_that_was_made_while_the_clock_was_ahead_is_found(changed_at: int, ok: bool) -> None:
    assert doctor.check_dates(changed_at, NOW).ok == ok


def test_it_says_until_when_changes_are_dated_ahead() -> None:
    found = doctor.check_dates(NOW + 3_600_000, NOW)
    assert "dated 2025-11-24T15:00:00.000Z, 3600 s ahead of this machine's clock" in found.detail
    assert "set the clock right" in found.remedy


def test_a_campaign_that_no_call_can_be_paid_for_is_named() -> None:
    document = marketplace({"agent": "sip:agent@127.0.0.1:5999"})
    document["advertisers"]["acme"]["billing"] = {"model": "prepaid"}
    market = parse(json.dumps(document), "t.yaml")
    found = doctor.check_limits(market, {}, 0)
    assert not found.ok
    assert "campaign plumbing: the account of advertiser acme, 0.00 USD now" in found.detail
    assert Step.DEPOSIT in found.remedy
    assert doctor.check_limits(market, {("advertiser:acme", "USD"): 4200}, 0).ok


def test_callers_of_area_codes_that_are_not_known_are_counted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geography, "load", lambda home: GEOGRAPHY)
    document = marketplace({"agent": "sip:agent@127.0.0.1:5999"})
    callers = {"212": 40, "621": 9, "730": 3}
    found = doctor.check_area_codes(settings, parse(json.dumps(document), "test.yaml"), callers)
    assert (found.ok, found.is_doubtful) == (True, True)
    assert found.detail == "12 of last week's callers have area codes that are not known: 621 (9), 730 (3)"
    assert "geography: area_codes" in found.remedy
    document["geography"] = {"area_codes": {"621": "TX", "730": "IL"}}
    found = doctor.check_area_codes(settings, parse(json.dumps(document), "test.yaml"), callers)
    assert (found.ok, found.is_doubtful) == (True, False)


def test_geography_that_cannot_be_built_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(tmp_path / "file" / "home", f"sqlite:///{tmp_path}/callrace.db")
    known = parse(json.dumps(marketplace({"agent": "sip:agent@127.0.0.1:5999"})), "test.yaml")
    assert not doctor.check_area_codes(settings, known, {}).ok


def test_what_carriers_send_and_nobody_reads_is_found_with_the_header_and_the_remedy() -> None:
    where = "To; trunks.carrier.number_in is request"
    call = make_call()
    call.events.append(TimelineEvent(call.started_at, EventName.NUMBER_ELSEWHERE, where))
    finding = doctor.check_carriers([call, make_call()])
    assert not finding.ok and f"in {where} (1 of the last 2 calls)" in finding.detail
    assert "number_in" in finding.remedy
    assert doctor.check_carriers([make_call()]).ok
