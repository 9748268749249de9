"""A replay of past calls under other terms: the sums of each campaign, and each call that would change."""

from __future__ import annotations

from collections.abc import Mapping

from ari_app.domain.basics.money import format_amount
from ari_app.domain.terms.replay import Rejudged, Sum, sums

Currencies = Mapping[str, str]
"""The currency of each campaign."""


_PAIRS = ("payable", "would be", "charged", "would be", "paid", "would be")
SUM_COLUMNS = ("campaign", *_PAIRS, "profit by", "currency", "corrected")
CHANGE_COLUMNS = ("id", "campaign", *_PAIRS, "why")


def sum_row(name: str, before: Sum, after: Sum, currency: str) -> tuple[object, ...]:
    """A campaign's sums as they were, and as they would be."""
    profit = (after.charged - after.paid) - (before.charged - before.paid)
    amounts = [
        format_amount(amount, currency)
        for amount in (before.charged, after.charged, before.paid, after.paid, profit)
    ]
    parts = (before.corrected_charged, before.corrected_paid)
    corrected = "charged {}, paid {}".format(*(format_amount(part, currency) for part in parts))
    return (name, before.qualified, after.qualified, *amounts, currency, corrected if any(parts) else None)


def change_row(call: Rejudged, currencies: Currencies) -> tuple[object, ...]:
    """A call with another result under the other terms."""
    currency = currencies[call.before.campaign or ""]
    (was, charged, paid), (is_now, charges, pays) = call.was, call.would_be
    amounts = [format_amount(amount, currency) for amount in (charged, charges, paid, pays)]
    return (call.before.id, call.before.campaign, _yes(was), _yes(is_now), *amounts, _why(call))


def _yes(qualified: bool) -> str:
    return "yes" if qualified else "no"


def _why(call: Rejudged) -> str:
    """The clauses that make the difference: those that would fail, or those that failed."""
    for record in (call.after, call.before):
        verdict = record.qualification
        failed = [clause.detail for clause in verdict.clauses if not clause.passed] if verdict else []
        if failed:
            return "; ".join(failed)
    return "other amounts"


def replay_json(rejudged: list[Rejudged], currencies: Currencies) -> dict[str, object]:
    """The replay for programs."""
    return {
        "campaigns": [
            {
                "campaign": name,
                "currency": currencies[name],
                "before": _sum(before, currencies[name]),
                "after": _sum(after, currencies[name]),
            }
            for name, (before, after) in sums(rejudged).items()
        ],
        "calls": len(rejudged),
        "changed": [
            {
                "id": call.before.id,
                "campaign": call.before.campaign,
                "before": _verdict(call, currencies, is_after=False),
                "after": _verdict(call, currencies, is_after=True),
                "why": _why(call),
            }
            for call in rejudged
            if call.is_changed
        ],
    }


def _sum(found: Sum, currency: str) -> dict[str, object]:
    return {
        "qualified": found.qualified,
        "charged": format_amount(found.charged, currency),
        "paid": format_amount(found.paid, currency),
        "corrected_charged": format_amount(found.corrected_charged, currency),
        "corrected_paid": format_amount(found.corrected_paid, currency),
    }


def _verdict(call: Rejudged, currencies: Currencies, *, is_after: bool) -> dict[str, object]:
    currency = currencies[call.before.campaign or ""]
    qualified, charged, paid = call.would_be if is_after else call.was
    return {
        "qualified": qualified,
        "charged": format_amount(charged, currency),
        "paid": format_amount(paid, currency),
    }
