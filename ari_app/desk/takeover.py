"""Waits until a running switch uses a new version of the marketplace: a change reported as done is in effect."""

from __future__ import annotations

import time

from ari_app.desk.refused import Code, Refused
from ari_app.serving import running
from ari_app.settings import Settings

TAKE_OVER_S = 5.0
_POLL_S = 0.05


def wait_for_switch(settings: Settings, version: int) -> bool:
    """Waits until the running switch uses this version or a later one; False when no switch runs.

    Raises Refused when the switch does not come to use it; SwitchError.
    """
    until = time.monotonic() + TAKE_OVER_S
    while True:
        try:
            status = running.ask(settings, "/status")
        except running.SwitchNotRunning:
            return False
        in_force = status["marketplace_version"]
        if (in_force or 0) >= version:
            return True
        why = status.get("unreadable_marketplace")  # a switch older than this program has no such field
        if why:
            raise Refused(Code.SWITCH_CANNOT_READ, version=version, in_force=in_force, why=why)
        if time.monotonic() > until:
            raise Refused(
                Code.SWITCH_IS_BEHIND,
                version=version,
                seconds=f"{TAKE_OVER_S:g}",
                log=str(running.log_file(settings)),
            )
        time.sleep(_POLL_S)
