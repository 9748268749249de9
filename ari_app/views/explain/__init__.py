"""A call in plain English: why it went where it went, and why it was or was not paid.

A call's record, transfers and disputes become sections of sentences; each section is a module. The sentences are for
readers who have never seen the code.
"""

from __future__ import annotations

from collections.abc import Sequence

from ari_app.domain.calls.record import CallRecord
from ari_app.domain.ledger.disputes import Dispute
from ari_app.domain.ledger.transfers import Transfer
from ari_app.views.explain import (
    aftermath,
    answers,
    attribution,
    conversation,
    money,
    opening,
    race,
    recorded,
    routing,
    verdict,
)
from ari_app.views.explain.facts import Sees, everything
from ari_app.views.explain.place import place_text
from ari_app.views.sections import Section

__all__ = ["explain", "place_text"]


def explain(
    record: CallRecord,
    transfers: Sequence[Transfer] = (),
    disputes: Sequence[Dispute] = (),
    sees: Sees = everything,
) -> list[Section]:
    """All sections about one call; the first section is the summary.

    For a reader who does not see everything, `record` and the rest are what that party may know of them.
    """
    sections = [
        opening.section(record, transfers, sees),
        attribution.section(record, sees),
        answers.section(record, sees),
        race.section(record),
        routing.section(record),
        conversation.section(record),
        recorded.section(record),
        verdict.section(record, sees),
        money.section(record, transfers, sees),
        aftermath.section(record, transfers, disputes, sees),
    ]
    return [section for section in sections if section.lines]
