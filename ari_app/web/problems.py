"""What went wrong, for programs: `application/problem+json` (RFC 9457), with a code and a link to what it means.

Each code has one status, here. `detail` says what happened and what to do; it never has anything of our insides: those
are in the log, under the request's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from ari_app.ari.errors import AriError
from ari_app.desk.refused import Code, Refused
from ari_app.domain.basics.errors import DocumentError
from ari_app.media.creatives import CreativeError
from ari_app.media.prompts import PromptError
from ari_app.serving.running import SwitchError, SwitchNotRunning
from ari_app.settings import SettingsError
from ari_app.store.db import errors as store
from ari_app.store.geography import GeographyError

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused. `facts` are further fields: what the sentence says, for programs."""

    status: int
    code: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase


REFUSALS: Mapping[Code, int] = {
    Code.NO_MARKETPLACE: 409,
    Code.MARKETPLACE_EXISTS: 409,
    Code.UNKNOWN: 404,
    Code.EXISTS: 409,
    Code.NOT_IN_FORCE: 422,
    Code.STILL_NEEDED: 409,
    Code.BAD_FIELD: 422,
    Code.IS_THEIRS: 409,
    Code.IS_ROUTED_TO: 409,
    Code.SWITCH_CANNOT_READ: 503,
    Code.SWITCH_IS_BEHIND: 503,
    Code.CREATIVE_NOT_APPROVED: 409,
    Code.CAMPAIGN_HAS_ENDED: 409,
    Code.NO_NUMBER: 409,
    Code.SEVERAL_NUMBERS: 409,
    Code.IMAGE_NOT_KEPT: 409,
    Code.NUMBER_UNKNOWN: 404,
    Code.NUMBER_IS_NOBODYS: 409,
    Code.NUMBER_IS_OF_THE_FILE: 409,
    Code.NUMBER_LIMIT: 409,
    Code.STOCK_IS_SHORT: 409,
    Code.NUMBER_IS_HELD: 409,
    Code.NUMBER_NOT_IMPORTED: 409,
    Code.NUMBER_RESTS: 409,
    Code.APPLICATIONS_CLOSED: 409,
    Code.APPLICATION_CANNOT: 409,
    Code.PAUSED_ALREADY: 409,
    Code.NOT_PAUSED: 409,
    Code.INVALID: 422,
    Code.NO_SUCH_PARTY: 404,
    Code.NO_MONEY: 409,
    Code.NO_ACCOUNT: 404,
    Code.NO_RECORDING: 404,
    Code.NOT_IN_TERMS: 422,
    Code.OTHER_CURRENCY: 422,
    Code.NO_PAYOUT_RUN: 404,
    Code.NOTHING_TO_ADJUST: 422,
    Code.AMBIGUOUS_CALL: 409,
    Code.KEY_TAKEN: 409,
    Code.CANNOT_CORRECT: 409,
    Code.CANNOT_REFUND: 409,
    Code.CANNOT_DISPUTE: 409,
    Code.IN_DISPUTE: 409,
    Code.CANNOT_BILL: 409,
    Code.MONTH_IS_OPEN: 409,
    Code.CANNOT_CONVERT: 422,
    Code.CALLS_NOT_THERE: 404,
    Code.COSTS_DIFFER: 422,
    Code.NOT_SIGNED_IN: 401,
    Code.WRONG_SIGN_IN: 401,
    Code.WRONG_CODE: 401,
    Code.TOO_MANY_TRIES: 429,
    Code.LINK_OVER: 410,
    Code.NOT_ALLOWED: 403,
    Code.CONFIRM_FIRST: 403,
    Code.NOBODY: 404,
    Code.IS_MEMBER: 409,
    Code.NO_MEMBER: 404,
    Code.LAST_OWNER: 409,
    Code.EDITED_MEANWHILE: 412,
    Code.KEY_OF_ANOTHER_REQUEST: 422,
    Code.REQUEST_AT_WORK: 409,
    Code.REQUEST_OUTCOME_UNKNOWN: 409,
}
"""The status of each refusal of the desk."""

_INSIDES = frozenset({"log", "file"})
"""Facts of refusals that are of this machine, and of nobody's business."""

_AGAIN = {"retry-after": "2"}
ERRORS: Mapping[type[Exception], Problem] = {
    store.DatabaseUnavailable: Problem(
        503, "database_unavailable", "the database does not answer now: try again", headers=_AGAIN
    ),
    store.DatabaseBusy: Problem(
        503, "busy", "others changed the same things at this moment, nothing was done: try again", {}, _AGAIN
    ),
    store.MarketplaceMoved: Problem(
        409, "marketplace_moved", "another marketplace came in force meanwhile, nothing was done: try again"
    ),
    store.StepRefused: Problem(409, "step_refused", ""),
    store.NumbersInUse: Problem(409, "numbers_in_use", ""),
    store.StoreError: Problem(503, "database_unusable", "the database cannot be used as it is"),
    SwitchNotRunning: Problem(503, "switch_not_running", "no switch is running", headers=_AGAIN),
    SwitchError: Problem(503, "switch_does_not_answer", "the switch does not answer now", headers=_AGAIN),
    AriError: Problem(503, "asterisk_does_not_answer", "Asterisk does not answer now", headers=_AGAIN),
    SettingsError: Problem(
        503, "not_set_up", "this exchange is not set up for that: its operator is to look"
    ),
    GeographyError: Problem(503, "no_geography", "the tables of places cannot be read"),
    DocumentError: Problem(422, "document_refused", ""),
    CreativeError: Problem(422, "creative_refused", "an image of a creative cannot be used"),
    PromptError: Problem(422, "prompt_refused", "a prompt cannot be made"),
}
"""The problem for each class of error; the nearest base class counts. Without a detail, the error's own is told."""

HTTP_CODES: Mapping[int, str] = {
    400: "bad_request",
    401: "not_authenticated",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
    421: "wrong_host",
    408: "too_slow",
    410: "gone",
    412: "edited_meanwhile",
    422: "invalid",
    428: "if_match_required",
    429: "too_many_requests",
    500: "failed",
    503: "busy",
    504: "too_late",
}
"""The code for each status that nothing says more of."""


def of_error(error: Exception) -> Problem | None:
    """The problem that an expected error is; None: it is not expected."""
    if isinstance(error, Refused):
        facts = {name: fact for name, fact in error.facts.items() if name not in _INSIDES}
        detail = str(error) if len(facts) == len(error.facts) else error.code.replace("_", " ")
        wait = {"retry-after": str(facts["seconds"])} if error.code is Code.TOO_MANY_TRIES else {}
        return Problem(REFUSALS[error.code], str(error.code), detail, {"facts": facts}, wait)
    found = next((ERRORS[kind] for kind in type(error).__mro__ if kind in ERRORS), None)
    if found is None:
        return None
    if isinstance(error, DocumentError):
        found = replace(found, facts={"errors": error.findings})
    return found if found.detail else replace(found, detail=str(error))


def of_status(
    status: int, detail: str = "", headers: Mapping[str, str] | None = None, code: str | None = None
) -> Problem:
    """The problem that a status says."""
    phrase = HTTPStatus(status).phrase.lower()
    return Problem(status, code or HTTP_CODES.get(status, "failed"), detail or phrase, {}, headers or {})


def body(problem: Problem, docs: str, instance: str) -> dict[str, Any]:
    """The problem as JSON. `docs`: the page that has each code under its name; `instance`: the request's id."""
    return {
        "type": f"{docs}#{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "instance": f"urn:callrace:request:{instance}",
        **problem.facts,
    }
