"""Disputes: an advertiser questions a charge, which is then given back or not.

A charge may be disputed for the advertiser's `dispute_window`, or else for DISPUTE_WINDOW_MS.
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
    """Opens a dispute for an amount, such as `10.00`, of a call's charge, or for all that is left of the charge.

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
    """Gives the advertiser back an amount (default: all that is claimed), and takes `payout` from the publisher.

    `payout` defaults to the same proportion of what the publisher earned. Raises Refused.
    """
    currency = get(site, dispute_id).currency
    credit = None if amount is None else checked.positive(amount, currency, "amount")
    clawback = None if payout is None else checked.amount(payout, currency, "payout")
    why = reason and checked.reason(reason)
    return disputes.accept(site.engine, dispute_id, credit, clawback, site.now(), str(actor), why)


@by_code()
def reject(site: Site, actor: Actor, *, dispute_id: int, reason: str) -> Dispute:
    """Ends a dispute; no money moves. Raises Refused."""
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
    """The disputes, oldest first; only those in this state and of this advertiser where given."""
    whose = None if advertiser is None else checked.word(advertiser, "advertiser")
    return disputes.list_(site.engine, state=state, advertiser=whose)


def _window_ms(site: Site, record: CallRecord) -> int:
    """The advertiser's dispute window (ms). The advertiser may have left the marketplace."""
    assert record.advertiser is not None, "a call that has money has an advertiser"
    marketplace = in_force(site.engine).marketplace
    return advertiser_of(site, marketplace, record.advertiser).dispute_window
