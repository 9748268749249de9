"""What became of a call's money after its verdict: corrections and disputes, as sentences and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.money import format_amount
from ari_app.domain.calls.record import CallRecord, to_json
from ari_app.domain.ledger.corrections import corrections_of, net
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import EXCHANGE, Transfer
from ari_app.views.disputes import dispute_json


def since(record: CallRecord, transfers: Sequence[Transfer], disputes: Sequence[Dispute]) -> Iterator[str]:
    """Each dispute and each correction, and what the call comes to now; nothing when there is neither."""
    for dispute in disputes:
        yield f"- {_dispute(dispute)}"
    for transfer in corrections_of(transfers):
        yield f"- {_correction(transfer)}"
    in_the_end = comes_to(record, transfers)
    if in_the_end:
        yield f"- {in_the_end}"


def comes_to(record: CallRecord, transfers: Sequence[Transfer]) -> str:
    """What a corrected call is charged and paid in the end; empty when nothing was corrected."""
    if record.money is None or not corrections_of(transfers):
        return ""
    price, payout = net_amounts(record.money.currency, transfers)
    currency = record.money.currency
    return (
        f"In the end {record.advertiser} is charged {price} {currency}, "
        f"and {record.publisher} is paid {payout} {currency}."
    )


def net_amounts(currency: str, transfers: Sequence[Transfer]) -> tuple[str, str]:
    """What is charged and what is paid, after all corrections."""
    after = net(transfers)
    return format_amount(after.price, currency), format_amount(after.payout, currency)


def net_cells(record: CallRecord, transfers: Sequence[Transfer]) -> tuple[str | None, str | None, str | None]:
    """What a call is charged and paid in the end, and by how much that was corrected, for people's tables."""
    if record.money is None:
        return (None, None, None)
    money, after = record.money, net(transfers)
    corrected = None
    if corrections_of(transfers):
        parts = (after.price - money.charged, after.payout - money.paid)
        corrected = "charged {}, paid {}".format(*(format_amount(part, money.currency) for part in parts))
    return (*net_amounts(money.currency, transfers), corrected)


def net_json(record: CallRecord, transfers: Sequence[Transfer]) -> dict[str, Any]:
    """The call's record, with what it comes to (`money.net_charged`, `net_paid`) and its corrections."""
    whole = to_json(record)
    if record.money is not None:
        price, payout = net_amounts(record.money.currency, transfers)
        whole["money"] |= {"net_charged": price, "net_paid": payout}
    whole["adjustments"] = [_correction_json(transfer) for transfer in corrections_of(transfers)]
    return whole


def whole_json(
    record: CallRecord, transfers: Sequence[Transfer], disputes: Sequence[Dispute]
) -> dict[str, Any]:
    """The same, and the call's disputes."""
    return net_json(record, transfers) | {"disputes": [dispute_json(dispute) for dispute in disputes]}


def _dispute(dispute: Dispute) -> str:
    claim = f"{dispute.advertiser} disputed {_amount(dispute.claimed, dispute.currency)} of the charge"
    opened, last = dispute.events[0], dispute.events[-1]
    said = f"{claim} on {iso(opened.at)[:10]} (dispute {dispute.id}): {opened.reason}."
    match dispute.state:
        case "accepted":
            how = "in whole" if dispute.credited == dispute.claimed else "in part"
            return f"{said} It was accepted {how} by {last.by}."
        case "rejected":
            return f"{said} It was rejected by {last.by}: {last.reason}."
        case _:
            return f"{said} It is not decided yet, and until it is, the call is not paid out."


def _correction(transfer: Transfer) -> str:
    amount = _amount(transfer.amount, transfer.currency)
    if transfer.debit == EXCHANGE:
        verb = "went back to" if transfer.resolves else "was paid to"
        return f"Later, {amount} {verb} {_name(transfer.credit)}: {transfer.reason}."
    verb = "was taken back from" if transfer.resolves else "was charged to"
    return f"Later, {amount} {verb} {_name(transfer.debit)}: {transfer.reason}."


def _correction_json(transfer: Transfer) -> dict[str, str]:
    return {
        "key": transfer.key,
        "at": iso(transfer.at),
        "debit": transfer.debit,
        "credit": transfer.credit,
        "amount": format_amount(transfer.amount, transfer.currency),
        "reason": transfer.reason,
    }


def _name(account: str) -> str:
    return account.partition(":")[2] or account


def _amount(minor: int, currency: str) -> str:
    return f"{format_amount(minor, currency)} {currency}"
