"""Tells the dialplan which trunks have another route for calls that no switch takes.

When no switch runs, the dialplan refuses calls of these trunks at once, so that the carrier uses the other route. The
list is in a global variable of Asterisk, which lasts until Asterisk ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ari_app.ari.client import Client
from ari_app.ari.errors import AriError
from ari_app.domain.routing.snapshot import Snapshot

log = logging.getLogger(__name__)

VARIABLE = "CALLRACE_FAILOVER"
LOOK_EVERY_S = 1.0


async def keep_failover_told(client: Client, in_force: Callable[[], Snapshot | None]) -> None:
    """Sets the trunks with `failover` in Asterisk, after each apply and each new connection. Runs for ever."""
    told: tuple[int, str] | None = None
    while True:
        wanted = client.connections, _value(in_force())
        if client.connected and wanted != told:
            try:
                await client.asterisk.set_global_var(VARIABLE, wanted[1])
                told = wanted
            except AriError as error:
                log.warning("the dialplan does not know which trunks have another route: %s", error)
        await asyncio.sleep(LOOK_EVERY_S)


def has_failover(snapshot: Snapshot | None, trunk: str | None) -> bool:
    """Whether calls of this trunk have another route when we do not take them."""
    rules = snapshot.marketplace.trunks.get(trunk or "") if snapshot is not None else None
    return rules is not None and rules.failover


def _value(snapshot: Snapshot | None) -> str:
    """The trunks' names, each between two commas, so that `,carrier,` matches the whole name only."""
    if snapshot is None:
        return ""
    names = [name for name, rules in snapshot.marketplace.trunks.items() if rules.failover]
    return f",{','.join(names)}," if names else ""
