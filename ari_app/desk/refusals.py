"""Turns errors of the domain and the store into `Refused` with a code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ari_app.desk.refused import Code, Refused
from ari_app.domain.ledger.bills import BillError, MonthIsOpen
from ari_app.domain.ledger.corrections import CannotCorrect
from ari_app.domain.ledger.disputes import DisputeError, InDispute
from ari_app.domain.ledger.refunds import CannotRefund
from ari_app.store.db.errors import AmbiguousCallId, CallsNotThere, KeyTaken, UnknownCalls

CODES: Mapping[type[Exception], Code] = {
    AmbiguousCallId: Code.AMBIGUOUS_CALL,
    BillError: Code.CANNOT_BILL,
    CallsNotThere: Code.CALLS_NOT_THERE,
    CannotCorrect: Code.CANNOT_CORRECT,
    CannotRefund: Code.CANNOT_REFUND,
    DisputeError: Code.CANNOT_DISPUTE,
    InDispute: Code.IN_DISPUTE,
    KeyTaken: Code.KEY_TAKEN,
    MonthIsOpen: Code.MONTH_IS_OPEN,
    UnknownCalls: Code.CANNOT_CONVERT,
}
"""The code for each class of error; the nearest base class counts."""


@contextmanager
def by_code() -> Iterator[None]:
    """Decorator of a use case: turns each of these errors into Refused.

    The error's message becomes the fact `why`; its other attributes, such as the existing dispute, become facts too.
    """
    try:
        yield
    except tuple(CODES) as error:
        code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
        raise Refused(code, why=str(error), **vars(error)) from error
