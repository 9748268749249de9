"""The metrics for Prometheus. All names begin with `callrace_`; units (seconds, minor units) come last.

A call is counted once, when it has ended. The switch's present state is read only when Prometheus asks. So a call costs
a dozen increments after its end, and one for each request.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from ari_app.ari.errors import AriError
from ari_app.domain.calls.record import CallRecord, Disposition, LegOutcome, LegRecord, lines_of
from ari_app.serving.clock import CallClock
from ari_app.store.calls.calls import Settlement

LAG_EVERY_S = 0.5

_MACHINE_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_MOS = (1, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.3, 4.4)  # from 3.6 on, most listeners are satisfied
_PEOPLE_S = (1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 90, 120)


class Metrics:
    """The switch's counters and histograms, one attribute each. Safe to use from several threads."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._calls = Counter("callrace_calls", "Calls that have ended.", ["disposition"], registry=registry)
        self._legs = Counter("callrace_legs", "Legs that have ended.", ["outcome"], registry=registry)
        # What has not happened yet is shown as 0, or an alert would miss the first time.
        for disposition in get_args(Disposition):
            self._calls.labels(disposition)
        for outcome in get_args(LegOutcome):
            self._legs.labels(outcome)
        self._qualified = Counter(
            "callrace_qualified_calls", "Calls that met their campaign's terms.", registry=registry
        )
        self._charged = Counter(
            "callrace_charged_minor_units", "What advertisers were charged.", ["currency"], registry=registry
        )
        self._paid = Counter(
            "callrace_paid_minor_units", "What publishers earned.", ["currency"], registry=registry
        )
        self._first_ring = Histogram(
            "callrace_first_ring_seconds",
            "From a call's start to the first phone that rings, without the time in the IVR.",
            buckets=_MACHINE_S,
            registry=registry,
        )
        self._accept = Histogram(
            "callrace_race_seconds",
            "From the offer to the acceptance that won.",
            buckets=_PEOPLE_S,
            registry=registry,
        )
        self._bridge = Histogram(
            "callrace_bridge_seconds",
            "From the acceptance to caller and agent hearing each other.",
            buckets=_MACHINE_S,
            registry=registry,
        )
        self._mos = Histogram(
            "callrace_estimated_mos",
            "How each party of a conversation sounded: the mean opinion score of ITU-T G.107.",
            ["party"],
            buckets=_MOS,
            registry=registry,
        )
        for party in ("caller", "agent"):
            self._mos.labels(party)
        self._save_delay = Histogram(
            "callrace_save_delay_seconds",
            "From a call's end until it is in the database.",
            buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 900),
            registry=registry,
        )
        self.requests = Requests()
        registry.register(self.requests)
        self.connections = Counter(
            "callrace_ari_connections",
            "Connections made to Asterisk; every one but the first is a reconnection.",
            registry=registry,
        )
        self.swept = Counter(
            "callrace_swept_legs", "Legs hung up because their call was over.", registry=registry
        )
        self._lag = Histogram(
            "callrace_loop_lag_seconds",
            "How late the event loop came back to what was due.",
            buckets=_MACHINE_S,
            registry=registry,
        )

    def watch(self, status: Callable[[], Mapping[str, Any]]) -> None:
        """Adds the values of `status()`, which is called each time that Prometheus asks."""
        self.registry.register(_Status(status))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def ended(self, record: CallRecord) -> None:
        """Counts a settled call."""
        self._calls.labels(record.disposition).inc()
        for leg in record.legs:
            self._legs.labels(leg.outcome).inc()
        if record.qualification is not None and record.qualification.qualified:
            self._qualified.inc()
        if record.money is not None:
            self._charged.labels(record.money.currency).inc(record.money.charged)
            self._paid.labels(record.money.currency).inc(record.money.paid)
        for destination, rtp in lines_of(record):
            if rtp.mos is not None:
                self._mos.labels("caller" if destination is None else "agent").observe(rtp.mos)
        self._time(record)

    def _time(self, record: CallRecord) -> None:
        rang_at = min((leg.ringing_at for leg in record.legs if leg.ringing_at is not None), default=None)
        if rang_at is not None:
            self._first_ring.observe((rang_at - record.started_at - record.durations_ms.ivr) / 1000)
        winner = _winner(record)
        if winner is None or winner.accepted_at is None or record.offered_at is None:
            return
        self._accept.observe((winner.accepted_at - record.offered_at) / 1000)
        if record.connected_at is not None:
            self._bridge.observe((record.connected_at - winner.accepted_at) / 1000)

    def saved(self, batch: Sequence[Settlement]) -> None:
        """Counts calls that were saved in the database. The writer's thread calls it."""
        now = CallClock().now()
        for settlement in batch:
            self._save_delay.observe((now - (settlement.record.ended_at or now)) / 1000)

    async def measure_lag(self) -> None:
        """Measures twice a second how late the event loop is. Runs for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(loop.time() - due, 0))


def _winner(record: CallRecord) -> LegRecord | None:
    return next(
        (leg for leg in record.legs if leg.outcome == "won" and leg.destination == record.winner), None
    )


class Requests(Collector):
    """Requests to Asterisk, counted by our own code, on the event loop only.

    A call makes fifteen requests, and the locks and labels of prometheus-client cost as much as sending one.
    """

    def __init__(self) -> None:
        self._within = [0] * (len(_MACHINE_S) + 1)  # by bucket; the last bucket has no upper bound
        self._total_s = 0.0
        self._results: dict[str, int] = {}

    def answered(self, status: int, took_s: float) -> None:
        """Counts a request that Asterisk answered."""
        self._within[bisect_left(_MACHINE_S, took_s)] += 1
        self._total_s += took_s
        self._count(str(status))

    def failed(self, error: AriError) -> None:
        """Counts a request that was not answered."""
        self._count(type(error).__name__)

    def _count(self, result: str) -> None:
        self._results[result] = self._results.get(result, 0) + 1

    def describe(self) -> Iterable[Metric]:
        """Returns nothing: `collect` describes the metrics."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The durations and the results of the requests."""
        bounds = [*map(floatToGoString, _MACHINE_S), "+Inf"]
        yield HistogramMetricFamily(
            "callrace_ari_request_seconds",
            "How long Asterisk took to answer a request, waiting in its lane included.",
            buckets=list(zip(bounds, accumulate(self._within), strict=True)),
            sum_value=self._total_s,
        )
        results = CounterMetricFamily(
            "callrace_ari_requests",
            "Requests to Asterisk, by the status of the answer or the error instead of one.",
            labels=["result"],
        )
        for result, count in self._results.items():
            results.add_metric([result], count)
        yield results


class _Status(Collector):
    """The switch's status as metrics."""

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        """Returns nothing, so that registering does not ask for the status yet."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The present values."""
        status = self._status()
        under_way = GaugeMetricFamily("callrace_calls_under_way", "Calls under way.", labels=["phase"])
        for phase, count in status["calls_by_phase"].items():
            under_way.add_metric([phase], count)
        yield under_way
        yield GaugeMetricFamily("callrace_ready", "1 when a call would be served.", not status["not_ready"])
        yield GaugeMetricFamily(
            "callrace_ari_connected", "1 while Asterisk is connected.", status["asterisk"] == "connected"
        )
        yield GaugeMetricFamily(
            "callrace_marketplace_version",
            "The marketplace in force, 0 for none.",
            status["marketplace_version"] or 0,
        )
        yield GaugeMetricFamily(
            "callrace_unsaved_calls", "Calls that wait to be saved.", status["unsaved_calls"]
        )
        yield GaugeMetricFamily(
            "callrace_database_takes_calls",
            "1 unless the database refuses what is to be saved, or does not answer.",
            not status["saving_problem"],
        )
        yield GaugeMetricFamily(
            "callrace_refused_calls",
            "Ended calls that the database will not take as they are.",
            status["refused_calls"],
        )
        yield GaugeMetricFamily(
            "callrace_calls_set_aside",
            "Calls of a switch before that could not be taken up, and wait for one that can.",
            status["calls_set_aside"],
        )
        yield GaugeMetricFamily(
            "callrace_marketplace_unreadable",
            "1 while an older marketplace serves on, as the newest cannot be read.",
            status["unreadable_marketplace"] is not None,
        )
        failing = GaugeMetricFamily(
            "callrace_chore_failing", "1 while what is done again and again fails.", labels=["chore"]
        )
        for chore in status["failing_chores"]:
            failing.add_metric([chore], 1)
        yield failing
        yield GaugeMetricFamily(
            "callrace_places_in_use", "Legs that ring or talk.", sum(status["capacity_in_use"].values())
        )
        yield CounterMetricFamily(
            "callrace_ari_malformed_events", "Events dropped as unreadable.", status["malformed_events"]
        )
        yield from _supervision(status["supervision"])


def _supervision(seen: Mapping[str, Any]) -> Iterator[Metric]:
    """The last values from AMI; without AMI, only that it cannot be reached."""
    yield GaugeMetricFamily("callrace_ami_connected", "1 while AMI is connected.", seen["ami"] == "connected")
    yield GaugeMetricFamily(
        "callrace_asterisk_channels", "Channels in Asterisk, whoever's.", seen.get("channels", 0)
    )
    if seen.get("memory_bytes") is not None:
        yield GaugeMetricFamily(
            "callrace_asterisk_resident_memory_bytes",
            "What Asterisk has in memory, where it runs beside the switch.",
            seen["memory_bytes"],
        )
    yield GaugeMetricFamily("callrace_stray_legs", "Legs in Asterisk whose call is over.", seen["stray_legs"])
    yield GaugeMetricFamily(
        "callrace_task_processors_overloaded",
        "Queues of Asterisk that overflowed in the last five minutes.",
        len(seen.get("overloaded", ())),
    )
    trunks = GaugeMetricFamily("callrace_trunk_up", "1 unless no contact of it answers.", labels=["trunk"])
    for trunk in seen.get("trunks", ()):
        trunks.add_metric([trunk["trunk"]], trunk["up"])
    yield trunks
    registered = GaugeMetricFamily("callrace_registered", "1 while we are registered.", labels=["server"])
    for server, state in seen.get("registrations", {}).items():
        registered.add_metric([server], state == "Registered")
    yield registered
    phones = GaugeMetricFamily("callrace_phones", "Registered phones by device state.", labels=["state"])
    for state, count in seen["phones"].items():
        phones.add_metric([state.lower()], count)
    yield phones
