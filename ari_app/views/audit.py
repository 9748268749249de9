"""Who did what: a line of the audit log, as a row and as JSON."""

from __future__ import annotations

from ari_app.domain.basics.audit import Entry
from ari_app.domain.basics.clock import iso
from ari_app.views.words import second

COLUMNS = ("at (UTC)", "actor", "what", "to", "with")


def entry_json(entry: Entry) -> dict[str, object]:
    """What was done, when, by whom, to what, with which values."""
    return {
        "at": iso(entry.at),
        "actor": entry.actor,
        "use_case": entry.use_case,
        "subject": entry.subject,
        "facts": dict(entry.facts),
    }


def entry_row(entry: Entry) -> tuple[str, ...]:
    """The same for people."""
    facts = [f"{name} {_words(value)}" for name, value in entry.facts.items() if value not in (None, [])]
    return second(entry.at), entry.actor, entry.use_case, entry.subject, ", ".join(facts)


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
