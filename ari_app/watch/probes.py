"""The answer to a carrier's OPTIONS probe: whether calls are taken.

An OPTIONS request comes to the PJSIP endpoint `ready`. Its context exists while a switch takes calls
(`ari/presence.py`), so Asterisk answers 200, or else 404. But an OPTIONS request without a user, which comes to the
endpoint `nobody`, is answered 200 without a look at the dialplan. So while no switch takes calls, that endpoint is put
into maintenance (Asterisk's res_pjsip_maintenance), which answers 503, with a Retry-After of 300 seconds. A switch that
was killed cannot do that, so the AGI server does it too; and the switch does it when no AGI server runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import count

from ari_app.ari.backoff import delays
from ari_app.settings import Settings, SettingsError
from ari_app.watch import ami
from ari_app.watch.ami import AmiError, Session

log = logging.getLogger(__name__)

APP = "callrace-ready"
CONTEXT = f"stasis-{APP}"  # the context of the endpoint `ready` in pjsip.conf
WITHOUT_USER = "nobody"
LOOK_EVERY_S = 0.2
LOOKS_A_TELLING = (
    5  # after so many looks the answer is set again, as another program may have changed it since
)


async def keep_probes_true(settings: Settings, is_taken: Callable[[], bool] | None = None) -> None:
    """Looks every LOOK_EVERY_S whether a switch takes calls, and sets the answer to probes. Runs for ever.

    A switch says by `is_taken` whether it does; without it Asterisk is asked, which costs as much as some calls. While
    AMI cannot be reached the answer stays as it is; this is logged once, and tried again.
    """
    waits, is_logged = delays(), False
    while True:
        try:
            async with ami.session(settings) as asterisk:
                waits, is_logged = delays(), False
                await _keep_telling(asterisk, is_taken)
        except (AmiError, SettingsError) as error:
            if not is_logged:
                log.warning("OPTIONS for no user is answered as before: %s", error)
            is_logged = True
        await asyncio.sleep(next(waits))


async def _keep_telling(asterisk: Session, is_taken: Callable[[], bool] | None) -> None:
    """Sets the answer when it changes, and again after LOOKS_A_TELLING. Raises AmiError."""
    told = refused = ""
    for look in count():
        is_so = await _has_context(asterisk) if is_taken is None else is_taken()
        state = "off" if is_so else "on"
        if state != told or look % LOOKS_A_TELLING == 0:
            refused = await _tell(asterisk, state, refused)
            told = state
        await asterisk.wait(LOOK_EVERY_S)


async def _tell(asterisk: Session, state: str, refused: str) -> str:
    """Sets the answer; returns why Asterisk refused, which is logged unless it is `refused`, as before."""
    (answer, *_) = await asterisk.ask("PJSIPSetMaintenance", Endpoint=WITHOUT_USER, State=state)
    problem = "" if answer.success else str(answer.message)
    if problem and problem != refused:
        log.warning(
            "OPTIONS for no user is always answered 200, as %r; have Asterisk read config/asterisk/pjsip.conf and"
            " modules.conf",
            problem,
        )
    return problem


async def _has_context(asterisk: Session) -> bool:
    """Whether any switch takes calls. Raises AmiError."""
    (context, *_) = await asterisk.ask("ShowDialPlan", Context=CONTEXT)
    return bool(context.success)
