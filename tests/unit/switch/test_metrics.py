"""What is counted of a call, and what is told of the switch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ari_app.ari.errors import AriTimeout
from ari_app.ari.transport import Request
from ari_app.domain.calls.record import LegRecord
from ari_app.domain.calls.rtp import RtpStatistics
from ari_app.switch.measured import MeasuredTransport
from ari_app.switch.metrics import Metrics
from tests.samples import make_call, settlement, unqualified
from tests.unit.ari.fakes import ScriptedTransport

STATUS = {
    "asterisk": "connected",
    "marketplace_version": None,
    "calls_by_phase": {"ivr": 2, "connected": 1},
    "unsaved_calls": 7,
    "saving_problem": "the database is read-only",
    "refused_calls": 2,
    "calls_set_aside": 2,
    "unreadable_marketplace": "marketplace 2 cannot be read",
    "failing_chores": {"looking at caps": "the database does not answer"},
    "capacity_in_use": {"agent-1": 1, "agent-2": 2},
    "malformed_events": 3,
    "not_ready": ["no marketplace is applied"],
    "supervision": {
        "ami": "connected",
        "problem": "",
        "trunks": [{"trunk": "main", "up": False, "contacts": ["sip:gw Unreachable"]}],
        "registrations": {"sip:carrier.example": "Registered"},
        "channels": 9,
        "memory_bytes": 150_000_000,
        "overloaded": {"stasis/m:cache": 501},
        "phones": {"INUSE": 2},
        "stray_legs": 1,
    },
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> Any:
    """A sample's value as Prometheus reads it; None when there is none."""
    families = text_string_to_metric_families(metrics.text().decode())
    samples = [sample for family in families for sample in family.samples]
    return next((s.value for s in samples if (s.name, s.labels) == (name, labels)), None)


def test_a_qualified_call_counts_once_with_its_legs_and_its_money(metrics: Metrics) -> None:
    metrics.ended(make_call())
    assert value(metrics, "callrace_calls_total", disposition="connected") == 1
    assert value(metrics, "callrace_legs_total", outcome="won") == 1
    assert value(metrics, "callrace_legs_total", outcome="lost") == 3
    assert value(metrics, "callrace_qualified_calls_total") == 1
    assert value(metrics, "callrace_charged_minor_units_total", currency="USD") == 4200
    assert value(metrics, "callrace_paid_minor_units_total", currency="USD") == 3000


def test_a_call_that_did_not_qualify_moves_no_money(metrics: Metrics) -> None:
    metrics.ended(unqualified())
    assert value(metrics, "callrace_calls_total", disposition="connected") == 1
    assert value(metrics, "callrace_qualified_calls_total") == 0
    assert value(metrics, "callrace_charged_minor_units_total", currency="USD") == 0


def test_what_has_not_happened_yet_is_told_as_none_so_that_its_first_time_is_a_rise(metrics: Metrics) -> None:
    assert value(metrics, "callrace_calls_total", disposition="failed") == 0
    assert value(metrics, "callrace_legs_total", outcome="busy") == 0


def test_a_call_is_timed_from_offer_to_acceptance_to_bridge(metrics: Metrics) -> None:
    metrics.ended(make_call())  # offered at 12 s, accepted at 19.951 s, connected at 20 s
    assert value(metrics, "callrace_race_seconds_sum") == pytest.approx(7.951)
    assert value(metrics, "callrace_bridge_seconds_sum") == pytest.approx(0.049)


def test_how_each_party_sounded_is_counted_by_party(metrics: Metrics) -> None:
    metrics.ended(make_call())
    assert value(metrics, "callrace_estimated_mos_count", party="caller") == 1
    assert value(metrics, "callrace_estimated_mos_sum", party="agent") == pytest.approx(4.39, abs=0.02)
    silent = replace(make_call(2), rtp=RtpStatistics(0, 0, 500, 0), legs=[])
    metrics.ended(silent)
    assert value(metrics, "callrace_estimated_mos_count", party="caller") == 1


def test_the_first_ring_is_timed_without_the_callers_time_in_the_ivr(metrics: Metrics) -> None:
    metrics.ended(make_call())  # answered after 10 ms, the phone rang 101 ms after the offer
    assert value(metrics, "callrace_first_ring_seconds_sum") == pytest.approx(0.111)


def test_only_the_winning_leg_of_the_connection_that_counts_is_timed(metrics: Metrics) -> None:
    call = make_call()
    vanished = LegRecord("agent-9", 1, call.legs[0].offered_at, "won", accepted_at=call.started_at)
    metrics.ended(replace(call, legs=[vanished, *call.legs]))
    assert value(metrics, "callrace_bridge_seconds_sum") == pytest.approx(0.049)


def test_a_call_without_an_offer_is_not_timed(metrics: Metrics) -> None:
    metrics.ended(make_call(disposition="abandoned_ivr", legs=[], winner=None, offered_at=None))
    assert value(metrics, "callrace_calls_total", disposition="abandoned_ivr") == 1
    assert value(metrics, "callrace_race_seconds_count") == 0
    assert value(metrics, "callrace_first_ring_seconds_count") == 0


def test_saved_calls_are_timed(metrics: Metrics) -> None:
    metrics.saved([settlement(make_call(1)), settlement(make_call(2))])
    assert value(metrics, "callrace_save_delay_seconds_count") == 2


def test_the_status_is_told_as_it_is_at_each_look(metrics: Metrics) -> None:
    status = dict(STATUS)
    metrics.watch(lambda: status)
    assert value(metrics, "callrace_calls_under_way", phase="ivr") == 2
    assert value(metrics, "callrace_ready") == 0
    assert value(metrics, "callrace_ari_connected") == 1
    assert value(metrics, "callrace_marketplace_version") == 0
    assert value(metrics, "callrace_unsaved_calls") == 7
    assert value(metrics, "callrace_calls_set_aside") == 2
    assert value(metrics, "callrace_marketplace_unreadable") == 1
    assert value(metrics, "callrace_chore_failing", chore="looking at caps") == 1
    assert value(metrics, "callrace_places_in_use") == 3
    assert value(metrics, "callrace_ari_malformed_events_total") == 3
    status |= {"not_ready": [], "marketplace_version": 4}
    assert value(metrics, "callrace_ready") == 1
    assert value(metrics, "callrace_marketplace_version") == 4


def test_what_supervision_sees_is_told(metrics: Metrics) -> None:
    metrics.watch(lambda: STATUS)
    assert value(metrics, "callrace_ami_connected") == 1
    assert value(metrics, "callrace_trunk_up", trunk="main") == 0
    assert value(metrics, "callrace_registered", server="sip:carrier.example") == 1
    assert value(metrics, "callrace_asterisk_channels") == 9
    assert value(metrics, "callrace_asterisk_resident_memory_bytes") == 150_000_000
    assert value(metrics, "callrace_stray_legs") == 1
    assert value(metrics, "callrace_task_processors_overloaded") == 1
    assert value(metrics, "callrace_phones", state="inuse") == 2


def test_without_ami_the_rest_is_told_all_the_same(metrics: Metrics) -> None:
    away = {"ami": "not connected", "problem": "away", "phones": {}, "stray_legs": 0}
    metrics.watch(lambda: {**STATUS, "supervision": away})
    assert value(metrics, "callrace_ami_connected") == 0
    assert value(metrics, "callrace_trunk_up", trunk="main") is None
    assert value(metrics, "callrace_unsaved_calls") == 7


async def test_requests_are_counted_by_status_and_timed(metrics: Metrics) -> None:
    transport = MeasuredTransport(ScriptedTransport({"DELETE channels/gone": (404, None)}), metrics)
    await transport.request(0, Request("POST", "channels/c1/answer"))
    await transport.request(0, Request("DELETE", "channels/gone"))
    assert value(metrics, "callrace_ari_requests_total", result="204") == 1
    assert value(metrics, "callrace_ari_requests_total", result="404") == 1
    assert value(metrics, "callrace_ari_request_seconds_count") == 2


async def test_a_request_without_an_answer_is_counted_by_its_error_and_still_raises(metrics: Metrics) -> None:
    transport = MeasuredTransport(ScriptedTransport({"GET bridges": AriTimeout("no answer")}), metrics)
    with pytest.raises(AriTimeout):
        await transport.request(0, Request("GET", "bridges"))
    assert value(metrics, "callrace_ari_requests_total", result="AriTimeout") == 1
    assert value(metrics, "callrace_ari_request_seconds_count") == 0


async def test_every_connection_is_counted(metrics: Metrics) -> None:
    transport = MeasuredTransport(ScriptedTransport(), metrics)
    await transport.events()
    await transport.events()
    assert value(metrics, "callrace_ari_connections_total") == 2
