"""Bills: invoices for advertisers and statements for publishers, each for one month."""

from __future__ import annotations

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.inforce import in_force
from ari_app.desk.parties import advertiser_of, publisher_of
from ari_app.desk.refusals import by_code
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger.bills import Bill, BillKind, BillPeriod, Issued, Party, period_of
from ari_app.domain.ledger.transfers import Transfer
from ari_app.store.money import bills

Items = list[tuple[Transfer, str | None]]
"""Transfers, each with its call's campaign."""


@by_code()
def issue(
    site: Site,
    actor: Actor,
    kind: BillKind,
    party: str,
    period: str,
    *,
    currency: str | None = None,
    force_open: bool = False,
) -> Issued:
    """Issues an advertiser's invoice, or a publisher's statement, for a month such as `2026-11`, in its time zone.

    A month that was billed before gives the same bill again. `currency` defaults to the marketplace's. With
    `force_open` a month that is not over can be billed, with what is in it now. Raises Refused.
    """
    whose, month = _asked(site, kind, party, period, currency)
    facts = {"kind": kind, "period": period, "currency": whose.currency}
    now = site.now()
    entry = Entry(now, str(actor), "bills.issue", party, facts)
    return bills.issue(site.engine, whose, month, now, force_open, entry)


@by_code()
def draft(
    site: Site,
    kind: BillKind,
    party: str,
    period: str,
    *,
    currency: str | None = None,
    force_open: bool = False,
) -> Issued:
    """The bill that `issue` would make now, or has made before; nothing is booked. Raises as `issue`."""
    return bills.draft(site.engine, *_asked(site, kind, party, period, currency), site.now(), force_open)


def get(site: Site, kind: BillKind, number: int) -> Bill:
    """The bill of this number. Raises Refused."""
    bill = bills.get(site.engine, kind, number) if 1 <= number <= checked.MOST_SERIAL else None
    if bill is None:
        raise Refused(Code.UNKNOWN, what=kind, name=number)
    return bill


def list_(site: Site, kind: BillKind, party: str | None = None) -> list[Bill]:
    """The bills of a kind, in the order of their numbers; only those of one party where it is given."""
    return bills.list_(site.engine, kind, None if party is None else checked.word(party, "party"))


def items(site: Site, bill: Bill) -> Items:
    """The transfers that an issued bill is made of."""
    return bills.items(site.engine, bill)


def items_of_draft(site: Site, bill: Bill) -> Items:
    """The transfers that a bill would consist of if it were issued now."""
    return bills.unbilled(site.engine, Party(bill.kind, bill.party, bill.name, bill.currency), bill.period)


def _asked(
    site: Site, kind: BillKind, party: str, period: str, currency: str | None
) -> tuple[Party, BillPeriod]:
    marketplace = in_force(site.engine).marketplace
    find = advertiser_of if kind == "invoice" else publisher_of
    found = find(site, marketplace, party)
    money = marketplace.currency if currency is None else checked.currency(currency)
    try:
        month = period_of(checked.word(period, "period"), found.timezone)
    except ValueError as error:
        raise checked.invalid("period", str(error)) from error
    return Party(kind, party, found.name, money), month
