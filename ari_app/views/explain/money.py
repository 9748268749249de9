"""The money that the call's transfers moved or held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.domain.ledger.calls import BONUS, awarded_at, is_rest
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.explain.facts import Sees
from ari_app.views.sections import Section
from ari_app.views.words import amount


def section(record: CallRecord, transfers: Sequence[Transfer], sees: Sees) -> Section:
    """Each transfer except later corrections."""
    is_seen = sees("price") or sees("payout")
    return Section("The money", list(_money(record, transfers, sees)) if is_seen else [])


def _money(record: CallRecord, transfers: Sequence[Transfer], sees: Sees) -> Iterator[str]:
    if not transfers and not sees("price") and awarded_at(record) is not None:
        yield f"- Nothing was paid to {record.publisher}."
        return
    if not transfers:
        yield "- No money moved, and none was set aside: no agent took the call."
        return
    for event in record.events:
        if event.what == EventName.BILLED:
            yield f"- Of the conversation is billed: {event.detail}."
    for transfer in transfers:
        if transfer.kind != "adjust":
            yield f"- {_transfer(transfer, record)}"
    money = record.money
    if money is not None and money.charged and sees("margin"):
        kept = money.charged - money.paid
        yield f"- The exchange keeps the difference of {amount(kept, money.currency)}."


def _transfer(transfer: Transfer, record: CallRecord) -> str:
    moved = amount(transfer.amount, transfer.currency)
    match transfer.kind:
        case "hold" if BONUS in transfer.key:
            return f"{moved} more were set aside for a bonus that waits for a conversion."
        case "hold":
            return f"{moved} of {record.advertiser}'s money was set aside when the call was accepted."
        case "void" if is_rest(transfer):
            return f"{moved} of that were released at its end: more than the call came to."
        case "void" if record.money is not None and not record.money.price and BONUS not in transfer.key:
            return f"The call came to nothing, so the {moved} were released."
        case "void" if BONUS in transfer.key:
            return f"The bonus was not due, so the {moved} set aside for it were released."
        case "void":
            if record.money is not None and record.money.paid:
                return f"The price was not due, so the {moved} were released."
            return f"The call was not payable, so the {moved} were released: nobody was charged or paid."
        case "post" if BONUS in transfer.key and transfer.resolves is not None:
            return (
                f"The bonus was due, so {record.advertiser} was charged {moved} more of what was set aside."
            )
        case "post" if BONUS in transfer.key:
            return f"{record.publisher} was paid {moved} more by the bonus."
        case "post" if transfer.resolves is not None:
            return f"The call was payable, so {record.advertiser} was charged {moved} of what was set aside."
        case "post":
            return f"{record.publisher} was paid {moved}."
        case _:
            return f"{moved} went from {transfer.debit} to {transfer.credit}: {transfer.reason}."
