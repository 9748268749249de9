"""The money: balances and statements of accounts, deposits, refunds, adjustments, and the proof that all agrees."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ari_app.access.actor import Actor
from ari_app.desk import checked
from ari_app.desk.calls import charged
from ari_app.desk.inforce import in_force
from ari_app.desk.parties import advertiser_of
from ari_app.desk.refusals import by_code
from ari_app.desk.refused import Code, Refused
from ari_app.desk.site import Site
from ari_app.domain.basics.audit import Entry
from ari_app.domain.ledger import transfers as domain
from ari_app.domain.ledger.balances import Account, Balance, StatementLine
from ari_app.domain.ledger.corrections import Net, net
from ari_app.domain.ledger.verification import Proof
from ari_app.store.ledger import ledger
from ari_app.store.limits.usage import reserved_funds
from ari_app.store.market import parties
from ari_app.store.money import audit, corrections, refunds


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment from an advertiser or back to it. `is_new`: it was booked by this request, not by an earlier one."""

    advertiser: str
    amount: int
    currency: str
    key: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A call's money after an adjustment. `is_new`: it was booked by this request, not by an earlier one."""

    call_id: str
    key: str
    after: Net
    currency: str
    is_new: bool


def balances(site: Site) -> list[Account]:
    """Every account's balance in each currency, with the amount that calls under way have reserved."""
    reserved = reserved_funds(site.engine)
    found = ledger.balances(site.engine)
    return [Account(*key, found.get(key, Balance()), reserved.get(key, 0)) for key in found | reserved]


def statement(site: Site, account: str) -> list[StatementLine]:
    """An account's transfers, oldest first, each with the balance after it. Raises Refused for an unknown account."""
    lines = ledger.statement(site.engine, checked.word(account, "account"))
    if not lines and not _can_be(site, account):
        raise Refused(Code.NO_ACCOUNT, account=account)
    return lines


def verify(site: Site) -> Proof:
    """Checks that all sums are zero, and that the transfers agree with everything made from or by them.

    These are calls, terms, verdicts, disputes, bills, payouts and reports.
    """
    return audit.prove(site.engine, site.now())


@by_code()
def deposit(
    site: Site,
    actor: Actor,
    *,
    advertiser: str,
    amount: str,
    key: str,
    currency: str | None = None,
    reason: str = "",
) -> Payment:
    """Books an amount, such as `500.00`, that an advertiser paid in. The same key is booked once.

    `currency` defaults to the marketplace's. Raises Refused, also when the key belongs to another payment.
    """
    now = site.now()
    minor, currency = _payment(site, advertiser, amount, currency, key)
    paid_in = domain.deposit(key, advertiser, minor, currency, now, reason and checked.reason(reason))
    facts = {"amount": minor, "currency": currency, "key": key, "reason": reason}
    is_new = ledger.post(site.engine, paid_in, Entry(now, str(actor), "ledger.deposit", advertiser, facts))
    return Payment(advertiser, minor, currency, key, is_new)


@by_code()
def refund(
    site: Site,
    actor: Actor,
    *,
    advertiser: str,
    amount: str,
    key: str,
    reason: str,
    currency: str | None = None,
) -> Payment:
    """Books an amount that an advertiser gets back from its deposits. The same key is booked once.

    Raises Refused, also for more than is available, and when the key belongs to another refund.
    """
    now = site.now()
    account = domain.advertiser_account(advertiser)
    there = {code for name, code in ledger.kept_balances(site.engine) if name == account}
    minor, currency = _payment(site, advertiser, amount, currency, key, there)
    facts = {"amount": minor, "currency": currency, "key": key, "reason": checked.reason(reason)}
    entry = Entry(now, str(actor), "ledger.refund", advertiser, facts)
    is_new = refunds.give_back(site.engine, advertiser, key, minor, currency, now, reason, entry)
    return Payment(advertiser, minor, currency, key, is_new)


@by_code()
def adjust(
    site: Site,
    actor: Actor,
    *,
    call_id: str,
    key: str,
    reason: str,
    price: str | None = None,
    payout: str | None = None,
) -> Adjusted:
    """Reverses a part of a call's money: of its charge (`price`, such as `-10.00`), of its `payout`, or of both.

    The same key is booked once. Raises Refused, also for more than is left, and when the key belongs to another
    adjustment.
    """
    record, currency = charged(site, call_id)
    if price is None and payout is None:
        raise Refused(Code.NOTHING_TO_ADJUST)
    credit = checked.reversed_amount(price, currency, "price")
    clawback = checked.reversed_amount(payout, currency, "payout")
    facts = {
        "price": -credit,
        "payout": -clawback,
        "currency": currency,
        "key": checked.line(key, "key"),
        "reason": checked.reason(reason),
    }
    now = site.now()
    entry = Entry(now, str(actor), "ledger.adjust", record.id, facts)
    is_new = corrections.adjust(site.engine, record.id, key, credit, clawback, now, reason, entry)
    after = net(ledger.of_call(site.engine, record.id))
    return Adjusted(record.id, key, after, currency, is_new)


def _payment(
    site: Site,
    advertiser: str,
    amount: str,
    currency: str | None,
    key: str,
    there: Collection[str] = (),
) -> tuple[int, str]:
    """The amount in minor units, and its currency: a known one, or one that is `there` although it is unknown.

    Raises Refused.
    """
    checked.line(key, "key")
    marketplace = in_force(site.engine).marketplace
    advertiser_of(site, marketplace, advertiser)
    if currency is None:
        currency = marketplace.currency
    elif currency not in there:
        currency = checked.currency(currency)
    return checked.positive(amount, currency, "amount"), currency


def _can_be(site: Site, account: str) -> bool:
    """Whether such an account can exist: of a party, even one that left, or of the exchange itself."""
    find = {"advertiser": parties.advertiser, "publisher": parties.publisher}
    what, _, name = account.partition(":")
    return account in (domain.EXCHANGE, domain.WORLD) or (
        what in find and find[what](site.engine, name) is not None
    )
