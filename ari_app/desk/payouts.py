"""Payout runs: publishers are paid what they have earned."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.bills import Items
from ari_app.desk.inforce import in_force
from ari_app.desk.refusals import by_code
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.clock import LAST_MS, ms_of
from ari_app.domain.ledger.payouts import Paid, Run
from ari_app.store.money import payouts

HOLD_DAYS = 7
"""Default hold of a payout run: a call is paid when it ended more than this many days ago."""
LONGEST_HOLD_DAYS = 365
DAY_MS = 86_400_000
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def asked(
    site: Site,
    *,
    key: str,
    until: date,
    minimum: str = "0",
    hold_days: int = HOLD_DAYS,
    currency: str | None = None,
) -> Run:
    """A run for calls that ended up to the end of a day (UTC), and more than `hold_days` ago.

    `minimum` is the least amount due, such as `50.00`, for which a publisher is paid. `currency` defaults to the
    marketplace's. Raises Refused.
    """
    money = checked.currency(currency) if currency else in_force(site.engine).marketplace.currency
    if not _KEY.fullmatch(key):
        raise checked.invalid("key", "expected letters, digits, . _ and -, at most 64")
    if not 0 <= hold_days <= LONGEST_HOLD_DAYS:
        raise checked.invalid("hold_days", f"expected 0 to {LONGEST_HOLD_DAYS}, got {hold_days}")
    return Run(
        key=key,
        at=site.now(),
        currency=money,
        until_at=min(ms_of(datetime.combine(until, time(), UTC)) + DAY_MS, LAST_MS),
        hold_ms=hold_days * DAY_MS,
        minimum=checked.amount(minimum, money, "minimum"),
    )


@by_code()
def run(site: Site, actor: Actor, wanted: Run) -> Paid:
    """Pays every publisher the earnings that are old enough and not in an open dispute, each once.

    The same key pays once. Raises Refused when the key was used for a run with other parameters.
    """
    facts = {
        "currency": wanted.currency,
        "until": wanted.until_at,
        "hold_days": wanted.hold_ms // DAY_MS,
        "minimum": wanted.minimum,
    }
    return payouts.run(site.engine, wanted, Entry(wanted.at, str(actor), "payouts.run", wanted.key, facts))


@by_code()
def plan(site: Site, wanted: Run) -> Paid:
    """Returns what `run` would pay now, or has paid before; nothing is booked. Raises Refused."""
    return payouts.plan(site.engine, wanted)


def get(site: Site, key: str) -> Paid:
    """The run with this key. Raises Refused."""
    paid = payouts.find(site.engine, checked.word(key, "key"))
    if paid is None:
        raise Refused(Code.NO_PAYOUT_RUN, key=key)
    return paid


def every(site: Site) -> list[Paid]:
    """All runs, the oldest first."""
    return payouts.every(site.engine)


def items(site: Site, paid: Paid) -> Items:
    """The transfers that a run's payouts consist of."""
    return payouts.items(site.engine, paid.run)
