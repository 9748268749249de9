"""Who was not offered the call, and why."""

from __future__ import annotations

from ari_app.domain.calls.record import CallRecord
from ari_app.views.sections import Section


def section(record: CallRecord) -> Section:
    """The destinations that were left out, each with the reason."""
    return Section("Who was left out", [f"- {e.destination}: {e.reason}." for e in record.excluded])
