"""What happened to a call's money after its verdict: corrections and disputes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ari_app.domain.basics.clock import iso
from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.corrections import corrections_of
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer
from ari_app.views.calls import net_amounts
from ari_app.views.explain.facts import Sees, joined
from ari_app.views.sections import Section
from ari_app.views.words import amount


def section(
    record: CallRecord, transfers: Sequence[Transfer], disputes: Sequence[Dispute], sees: Sees
) -> Section:
    """Each dispute and each correction, and the call's net amounts now; empty when there is neither."""
    return Section("What became of it since", list(_since(record, transfers, disputes, sees)))


def _since(
    record: CallRecord, transfers: Sequence[Transfer], disputes: Sequence[Dispute], sees: Sees
) -> Iterator[str]:
    for dispute in disputes:
        yield f"- {_dispute(dispute, sees)}"
    for transfer in corrections_of(transfers):
        yield f"- {_correction(transfer)}"
    in_the_end = comes_to(record, transfers, sees)
    if in_the_end:
        yield f"- {in_the_end}"


def comes_to(record: CallRecord, transfers: Sequence[Transfer], sees: Sees) -> str:
    """The net amounts charged and paid for a corrected call; empty when nothing was corrected."""
    if record.money is None or not corrections_of(transfers):
        return ""
    price, payout = net_amounts(record.money.currency, transfers)
    currency = record.money.currency
    parts = {
        "price": f"{record.advertiser} is charged {price} {currency}",
        "payout": f"{record.publisher} is paid {payout} {currency}",
    }
    return f"In the end {joined(said for topic, said in parts.items() if sees(topic))}."


def _dispute(dispute: Dispute, sees: Sees) -> str:
    claimed = f"{amount(dispute.claimed, dispute.currency)} of the charge" if sees("price") else "the charge"
    claim = f"{dispute.advertiser} disputed {claimed}"
    opened, last = dispute.events[0], dispute.events[-1]
    said = f"{claim} on {iso(opened.at)[:10]} (dispute {dispute.id}): {opened.reason}."
    match dispute.state:
        case "accepted":
            how = "in whole" if dispute.credited == dispute.claimed else "in part"
            return f"{said} It was accepted{f' {how}' if sees('price') else ''} by {last.by}."
        case "rejected":
            return f"{said} It was rejected by {last.by}: {last.reason}."
        case _:
            return f"{said} It is not decided yet, and until it is, the call is not paid out."


def _correction(transfer: Transfer) -> str:
    moved = amount(transfer.amount, transfer.currency)
    if transfer.debit == EXCHANGE:
        verb = "went back to" if transfer.resolves else "was paid to"
        return f"Later, {moved} {verb} {_name(transfer.credit)}: {transfer.reason}."
    verb = "was taken back from" if transfer.resolves else "was charged to"
    return f"Later, {moved} {verb} {_name(transfer.debit)}: {transfer.reason}."


def _name(account: str) -> str:
    return account.partition(":")[2] or account
