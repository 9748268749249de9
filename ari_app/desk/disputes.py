"""Disputes: an advertiser questions a charge, and it is given back or not.

How long a charge may be disputed is the advertiser's `dispute_window`; where it says none, DISPUTE_WINDOW_MS.
"""

from __future__ import annotations

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.calls import charged
from ari_app.desk.inforce import in_force
from ari_app.desk.parties import advertiser_of
from ari_app.desk.refusals import by_code
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.disputes import Dispute, DisputeState, NoDispute
from ari_app.store.money import disputes


@by_code()
def open_(site: Site, actor: Actor, *, call_id: str, reason: str, amount: str | None = None) -> Dispute:
    """Disputes an amount, such as `10.00`, of a call's charge, or all that is left of it.

    Raises Refused, also when the window is over, less was charged, or the call is in dispute already.
    """
    record, currency = charged(site, call_id)
    claimed = None if amount is None else checked.positive(amount, currency, "amount")
    why, window_ms = checked.reason(reason), _window_ms(site, record)
    return disputes.open_(site.engine, record.id, claimed, window_ms, site.now(), str(actor), why)


@by_code()
def accept(
    site: Site,
    actor: Actor,
    *,
    dispute_id: int,
    amount: str | None = None,
    payout: str | None = None,
    reason: str = "",
) -> Dispute:
    """Gives the advertiser an amount back, or all that is claimed, and takes `payout` from the publisher.

    Without a `payout` it is in proportion. Raises Refused.
    """
    currency = get(site, dispute_id).currency
    credit = None if amount is None else checked.positive(amount, currency, "amount")
    clawback = None if payout is None else checked.amount(payout, currency, "payout")
    why = reason and checked.reason(reason)
    return disputes.accept(site.engine, dispute_id, credit, clawback, site.now(), str(actor), why)


@by_code()
def reject(site: Site, actor: Actor, *, dispute_id: int, reason: str) -> Dispute:
    """Ends a dispute with the money where it is. Raises Refused."""
    get(site, dispute_id)
    return disputes.reject(site.engine, dispute_id, site.now(), str(actor), checked.reason(reason))


def get(site: Site, dispute_id: int) -> Dispute:
    """The dispute. Raises Refused."""
    unknown = Refused(Code.UNKNOWN, what="dispute", name=dispute_id)
    if not 1 <= dispute_id <= checked.MOST_SERIAL:
        raise unknown
    try:
        return disputes.get(site.engine, dispute_id)
    except NoDispute as error:
        raise unknown from error


def list_(site: Site, *, state: DisputeState | None = None, advertiser: str | None = None) -> list[Dispute]:
    """The disputes in the order they were opened, of those in a state, of an advertiser."""
    whose = None if advertiser is None else checked.word(advertiser, "advertiser")
    return disputes.list_(site.engine, state=state, advertiser=whose)


def _window_ms(site: Site, record: CallRecord) -> int:
    """The advertiser's dispute window, also of one that left the marketplace."""
    assert record.advertiser is not None, "a call that has money has an advertiser"
    marketplace = in_force(site.engine).marketplace
    return advertiser_of(site, marketplace, record.advertiser).dispute_window
