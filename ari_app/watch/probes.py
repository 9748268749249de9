"""What carriers are told who ask by OPTIONS whether calls are taken.

OPTIONS is for the PJSIP endpoint `ready`, whose context is there while a switch takes calls (`ari/presence.py`):
Asterisk says 200, or 404. An OPTIONS for no user is answered 200 without a look at the dialplan; so the endpoint is put
into maintenance (Asterisk's res_pjsip_maintenance), which says 503, while no switch takes calls. A switch that was
killed cannot do that: the AGI server does, and the switch for an AGI server that is not there.
"""

from __future__ import annotations

import asyncio
import logging

from ari_app.ari.backoff import delays
from ari_app.settings import Settings, SettingsError
from ari_app.watch import ami
from ari_app.watch.ami import AmiError, Session

log = logging.getLogger(__name__)

ENDPOINT = "ready"
APP = "callrace-ready"
CONTEXT = f"stasis-{APP}"  # the endpoint's, in pjsip.conf
LOOK_EVERY_S = 0.2


async def keep_probes_true(settings: Settings) -> None:
    """Looks every LOOK_EVERY_S whether a switch takes calls, and has probes told so. Runs for ever.

    While AMI is away nothing is told; it is logged once, and tried again.
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
    """Tells at each look, as another program may have told otherwise since. Raises AmiError."""
    refused = ""
    while True:
        (context, *_) = await asterisk.ask("ShowDialPlan", Context=CONTEXT)
        state = "off" if context.success else "on"
        (answer, *_) = await asterisk.ask("PJSIPSetMaintenance", Endpoint=ENDPOINT, State=state)
        problem = "" if answer.success else answer.message
        if problem and problem != refused:
            log.warning(
                "OPTIONS for no user is always answered 200, as %r; have Asterisk read config/asterisk/pjsip.conf and"
                " modules.conf",
                problem,
            )
        refused = problem
        await asterisk.wait(LOOK_EVERY_S)
