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

from ari_app.ari.backoff import delays
from ari_app.settings import Settings, SettingsError
from ari_app.watch import ami
from ari_app.watch.ami import AmiError, Session

log = logging.getLogger(__name__)

APP = "callrace-ready"
CONTEXT = f"stasis-{APP}"  # the context of the endpoint `ready` in pjsip.conf
WITHOUT_USER = "nobody"
LOOK_EVERY_S = 0.2


async def keep_probes_true(settings: Settings) -> None:
    """Checks every LOOK_EVERY_S whether a switch takes calls, and sets the answer to probes. Runs for ever.

    While AMI cannot be reached the answer stays as it is; this is logged once, and tried again.
    """
    waits, is_logged = delays(), False
    while True:
        try:
            async with ami.session(settings) as asterisk:
                waits, is_logged = delays(), False
                await _keep_telling(asterisk)
        except (AmiError, SettingsError) as error:
            if not is_logged:
                log.warning("OPTIONS for no user is answered as before: %s", error)
            is_logged = True
        await asyncio.sleep(next(waits))


async def _keep_telling(asterisk: Session) -> None:
    """Sets the answer at each look, as another program may have changed it since. Raises AmiError."""
    refused = ""
    while True:
        (context, *_) = await asterisk.ask("ShowDialPlan", Context=CONTEXT)
        state = "off" if context.success else "on"
        (answer, *_) = await asterisk.ask("PJSIPSetMaintenance", Endpoint=WITHOUT_USER, State=state)
        problem = "" if answer.success else answer.message
        if problem and problem != refused:
            log.warning(
                "OPTIONS for no user is always answered 200, as %r; have Asterisk read config/asterisk/pjsip.conf and"
                " modules.conf",
                problem,
            )
        refused = problem
        await asterisk.wait(LOOK_EVERY_S)
