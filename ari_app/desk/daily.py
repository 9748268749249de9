"""The jobs that are done once a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk import conversions, recordings
from ari_app.desk.once import KEPT_MS
from ari_app.desk.site import Site
from ari_app.store.db import outbox, requests
from ari_app.store.db.errors import StoreError

OUTBOX_KEPT_MS = 30 * 86_400_000


def _forget_outbox(site: Site, _actor: Actor) -> int:
    return outbox.forget(site.engine, site.now() - OUTBOX_KEPT_MS)


def _forget_requests(site: Site, _actor: Actor) -> int:
    return requests.forget(site.engine, site.now() - KEPT_MS)


JOBS: dict[str, Callable[[Site, Actor], int]] = {
    "conversions expire": conversions.expire,
    "outbox forget": _forget_outbox,
    "recordings expire": recordings.expire,
    "requests forget": _forget_requests,
}
"""The jobs, in this order. Each returns how many items it changed."""


@dataclass(frozen=True, slots=True)
class Done:
    """By job: how many items it changed; and for each job that failed, the reason."""

    counts: Mapping[str, int]
    failed: Mapping[str, Exception]


def do(site: Site, actor: Actor) -> Done:
    """Does all daily jobs. If one fails, the others are done all the same. To run it twice a day does no harm."""
    counts: dict[str, int] = {}
    failed: dict[str, Exception] = {}
    for name, job in JOBS.items():
        try:
            counts[name] = job(site, actor)
        except (StoreError, OSError) as error:
            failed[name] = error
    return Done(counts, failed)
