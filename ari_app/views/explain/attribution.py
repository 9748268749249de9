"""The attribution: the number's campaign and publisher, and the terms of the call."""

from __future__ import annotations

from collections.abc import Iterator

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.calls.timeline import EventName
from ari_app.views.explain.facts import Sees
from ari_app.views.sections import Section
from ari_app.views.words import amount

_ATTESTED = {
    "A": "A, it knows the caller and that the number is theirs",
    "B": "B, it knows the caller, but not that the number is theirs",
    "C": "C, it only passed the call on",
}
_UNREAD: dict[str, str] = {
    EventName.NUMBER_ELSEWHERE: "A tracking number",
    EventName.ATTESTATION_ELSEWHERE: "An attestation of the caller's number",
}


def section(record: CallRecord, sees: Sees) -> Section:
    """To whom the call was attributed, and under which terms."""
    return Section("Whose call it was", list(_whose(record, sees)))


def _whose(record: CallRecord, sees: Sees) -> Iterator[str]:
    for event in record.events:
        if event.what in _UNREAD:
            yield f"- {_UNREAD[event.what]} stands where nobody looks for it: in {event.detail}."
    if record.diversion or record.history_info:
        said = ", ".join(record.diversion or record.history_info)
        yield f"- It was diverted on its way here, says the carrier: {said}."
    if record.campaign is None:
        yield f"- {record.did or 'What was called'} was nobody's number at that moment."
        return
    source = f' (source "{record.source}")' if record.source else ""
    yield (
        f"- {record.did} is a tracking number of the campaign {record.campaign}, bought by "
        f"{record.advertiser}. It is advertised by the publisher {record.publisher}{source}, so the call "
        "counts as theirs."
    )
    if record.attestation is not None:
        yield f"- The carrier attests the caller's number: {_ATTESTED[record.attestation]}."
    comes_to = _comes_to(record, sees)
    if comes_to:
        yield (
            f"- Version {record.terms_version} of the campaign's terms holds for it: if payable, this call "
            f"{comes_to}."
        )


def _comes_to(record: CallRecord, sees: Sees) -> str:
    """What the terms charge and pay for a payable call, as far as the reader sees it."""
    money = record.money
    if money is None:
        return ""
    parts = {
        "price": f"costs {record.advertiser} {amount(money.price, money.currency)}",
        "payout": f"earns {record.publisher} {amount(money.payout, money.currency)}",
    }
    return " and ".join(said for topic, said in parts.items() if sees(topic))
