"""Remedies for refusals and errors: the command to run. Only `cli` names commands.

They are found by the refusal's code or by the error's class. The names in braces are facts of the refusal or attributes
of the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from ari_app.desk.refused import Code, Refused
from ari_app.domain.ledger.verification import Cure, LedgerFinding
from ari_app.serving.running import DrainsStill, RunsAlready, SwitchNotRunning
from ari_app.settings import NoPassword
from ari_app.store.db.errors import DatabaseNotMigrated, NumbersInUse, TermsUndone
from ari_app.watch.finding import Finding as Looked
from ari_app.watch.finding import Step

REMEDIES: Mapping[Code | type[Exception], str] = {
    Code.NO_MARKETPLACE: "run `callrace apply FILE`, or `callrace marketplace init`",
    Code.MARKETPLACE_EXISTS: "see `callrace export`",
    Code.UNKNOWN: "see `callrace {what}s list`",
    Code.EXISTS: "see `callrace {what}s show {name}`",
    Code.NOT_IN_FORCE: "see `callrace export`",
    Code.IS_ROUTED_TO: "take it out of those by `callrace campaigns set ID route.waves=...`",
    Code.SWITCH_CANNOT_READ: "replace it by `callrace switch hand-over && callrace lab up`",
    Code.CREATIVE_NOT_APPROVED: "run `callrace creatives approve {name}`",
    Code.NO_NUMBER: "see `callrace numbers list`",
    Code.SEVERAL_NUMBERS: "choose one by --source: {sources}",
    Code.IMAGE_NOT_KEPT: "apply its marketplace here again",
    Code.NUMBER_IS_NOBODYS: "see `callrace numbers history {did}`",
    Code.NUMBER_LIMIT: "see applications.numbers_per_publisher in the marketplace's file",
    Code.STOCK_IS_SHORT: "see `callrace numbers stock`, and add some with `callrace numbers import FILE.csv`",
    Code.NUMBER_IS_HELD: "see `callrace numbers history`",
    Code.NUMBER_NOT_IMPORTED: "see `callrace numbers import`",
    Code.NUMBER_RESTS: "see `callrace numbers list --status quarantined`",
    Code.PAUSED_ALREADY: "see `callrace agents list`",
    Code.NO_RECORDING: "see `callrace recordings list`",
    Code.NO_PAYOUT_RUN: "see `callrace payouts list`",
    Code.CALLS_NOT_THERE: "see `callrace calls list`",
    Code.IN_DISPUTE: "see `callrace disputes show {dispute}`",
    Code.MONTH_IS_OPEN: "wait for its end, or bill it as it is now with --force-open",
    Code.NOBODY: "see `callrace people list`",
    Code.IS_MEMBER: "run `callrace people remove {name} --party {party}` first, and invite them anew",
    Code.NO_MEMBER: "see `callrace people list`",
    Code.LAST_OWNER: "run `callrace people invite EMAIL --party operator --role owner` first",
    Code.COSTS_DIFFER: "give --campaign",
    DatabaseNotMigrated: "run `callrace db upgrade`",
    NumbersInUse: "run `callrace numbers release {did}` first",
    TermsUndone: "write what `callrace export` says, or go back by `callrace campaigns set {campaign} {term}=VALUE`",
    SwitchNotRunning: "start it with `callrace lab up`",
    RunsAlready: "stop it with `callrace lab down`",
    DrainsStill: "`callrace lab down` ends them now",
    NoPassword: "run `callrace lab up`, or put it there with mode 0600",
}


CURES: Mapping[Cure, str] = {
    "daily": "; run `callrace daily`",
    "rebuild": ": run `callrace reports rebuild`",
}
"""The remedies for findings of the ledger's verification; each follows the finding's detail."""


def found(finding: LedgerFinding) -> LedgerFinding:
    """The finding, with the remedy added to its detail."""
    cure = "" if finding.cure is None else CURES[finding.cure]
    return replace(finding, detail=f"{finding.detail}{cure}")


STEPS: Mapping[Step, str] = {
    Step.APPLY: "run `callrace apply FILE`",
    Step.DEPOSIT: "run `callrace ledger deposit`",
    Step.HAND_OVER: "`callrace switch hand-over && callrace lab up`",
    Step.MIGRATE: "run `callrace db upgrade`",
    Step.SAVE_SPOOL: "`callrace spool retry`",
    Step.SEE_SPOOL: "`callrace spool list`",
    Step.START: "run `callrace lab up`",
    Step.START_AGI: "run `callrace agi run`",
}
"""The commands for the doctor's steps."""


def looked_at(finding: Looked) -> Looked:
    """The doctor's finding, with the commands in its remedy."""
    remedy = finding.remedy
    for step, command in STEPS.items():
        remedy = remedy.replace(step, command)
    return replace(finding, remedy=remedy)


_NO_OPTION = ("only", "span")  # fields that come from several options together


def told(error: Exception) -> str:
    """The error's message, and what to do about it."""
    facts: Mapping[str, Any]
    if isinstance(error, Refused):
        remedy, facts = REMEDIES.get(error.code), error.texts
    else:
        remedy, facts = REMEDIES.get(type(error)), vars(error)
    return str(error) if remedy is None else f"{error}; {remedy.format_map(facts)}"


def wrong_usage(error: Refused, argument: str | None = None) -> click.BadParameter:
    """Turns an INVALID refusal into wrong usage of the option with the field's name, or of an argument."""
    named = str(error.facts["field"])
    option = None if named in _NO_OPTION else f"--{named.replace('_', '-')}"
    return click.BadParameter(str(error.facts["why"]), param_hint=argument or option)


@contextmanager
def argument(field: str, name: str) -> Iterator[None]:
    """Turns an INVALID refusal of this field into wrong usage of the argument `name`, for a field without an option."""
    try:
        yield
    except Refused as error:
        if error.code is Code.INVALID and error.facts["field"] == field:
            raise wrong_usage(error, name) from error
        raise
