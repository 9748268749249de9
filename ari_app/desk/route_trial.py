"""The route trial: what would happen to a call, without a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from ari_app.desk import checked
from ari_app.desk.inforce import in_force
from ari_app.desk.site import Site
from ari_app.domain.caps.outlook import outlook_for
from ari_app.domain.ivr.flow import Caller, ToOffer, TooManyKeys, dry_run
from ari_app.domain.reports.trial import Trial
from ari_app.domain.routing.intake import UNCOUNTED, Arrival, Ask, Ended, Intake, Refused, Told, Unknown
from ari_app.domain.routing.snapshot import Snapshot
from ari_app.store import geography
from ari_app.store.ledger import ledger


def try_route(site: Site, arrival: Arrival, presses: Sequence[str]) -> Trial:
    """Tries a call under the marketplace in force. `presses`: the keys that the caller presses, one text a question.

    Raises Refused (of the desk), StoreError, GeographyError.
    """
    checked.word(arrival.did, "did")
    checked.word(arrival.ani or "", "ani")
    checked.moment(arrival.at, "at")
    for keys in presses:
        checked.word(keys, "press")
    loaded = in_force(site.engine)
    trial = _try(loaded.snapshot(geography.load(site.settings.home)), arrival, presses)
    found = trial.attribution
    if found is None:
        return trial
    return replace(trial, short=outlook_for(loaded.marketplace, found, ledger.available(site.engine)))


def _try(snapshot: Snapshot, call: Arrival, presses: Sequence[str]) -> Trial:
    """The call's way through the intake, up to the race."""
    intake = Intake(snapshot, call, Random(f"{call.did} {call.ani}"))
    step, run = intake.start(), None
    while not isinstance(step, Ended):
        outcome = UNCOUNTED[type(step)]
        if isinstance(step, Ask):
            caller = Caller(snapshot.geography, call.did, call.ani, call.at, step.timezone)
            try:
                run = dry_run(step.flow, caller, presses)
            except TooManyKeys as error:
                raise checked.invalid("press", str(error)) from error
            outcome = Told(isinstance(run.end, ToOffer), run.entered_zip)
        step = intake.handle(outcome, call.at)
    refusal = step.refusal if isinstance(step, Refused) else None
    if isinstance(step, Unknown | Refused):
        return Trial(call.did, call.ani, call.at, intake.found, refusal)
    return Trial(call.did, call.ani, call.at, intake.found, None, run, intake.place, intake.decision)
