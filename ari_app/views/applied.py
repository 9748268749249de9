"""What an apply changes, or would change: as lines of text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ari_app.domain.basics.money import format_amount
from ari_app.domain.caps.outlook import Shortage
from ari_app.domain.document.applied import Applied
from ari_app.domain.document.changes import listed, words
from ari_app.domain.document.remarks import Remark
from ari_app.domain.ledger.balances import KeptAccount


def applied_lines(
    applied: Applied, made: Sequence[str], short: Sequence[Shortage], doubtful: Sequence[Remark]
) -> list[str]:
    """One line for each change, each balance of a party that leaves, each prompt to prepare, and each warning.

    Warnings concern limits that let few calls through, and entries that are valid but probably not intended.
    """
    changes = [*words(applied.changes), *_kept_words(applied.accounts), *map(_prompt_words, made)]
    warnings = [*(shortage.words for shortage in short), *remark_lines(doubtful)]
    return [*(f"  {change}" for change in changes), *(f"warning: {warning}" for warning in warnings)]


def applied_json(
    applied: Applied, made: Sequence[str], short: Sequence[Shortage], doubtful: Sequence[Remark]
) -> dict[str, Any]:
    """The same for programs."""
    changes = [asdict(change) for change in applied.changes]
    return {
        "version": applied.version,
        "changes": changes,
        "accounts": _kept_json(applied.accounts),
        "prompts": list(made),
        "warnings": [*map(shortage_json, short), *map(_remark_json, doubtful)],
    }


def shortage_json(short: Shortage) -> dict[str, Any]:
    """A warning about a cap or about funds."""
    return {**asdict(short), "path": None}


def _remark_json(remark: Remark) -> dict[str, Any]:
    return {"campaign": None, "limit": None, "admits": None, **asdict(remark)}


def remark_lines(doubtful: Iterable[Remark]) -> list[str]:
    """The remarks for people. Remarks with the same text share a line: all shops of a chain may have the same hours."""
    paths: dict[str, list[str]] = {}
    for remark in doubtful:
        paths.setdefault(remark.words, []).append(remark.path)
    return [f"{listed(where)}: {said}" for said, where in paths.items()]


def _kept_words(accounts: Iterable[KeptAccount]) -> Iterator[str]:
    """One line for each party that leaves: what it is owed and what it owes."""
    for kept in accounts:
        said = []
        if kept.balance:
            verb = "is owed" if kept.balance > 0 else "owes"
            said.append(f"it {verb} {format_amount(abs(kept.balance), kept.currency)} {kept.currency}")
        if kept.set_aside:
            amount = f"{format_amount(kept.set_aside, kept.currency)} {kept.currency}"
            said.append(f"{amount} of it may go to calls that are not settled yet")
        yield f"{kept.what} {kept.name} keeps its account: {'; '.join(said)}"


def _kept_json(accounts: Iterable[KeptAccount]) -> list[dict[str, str]]:
    return [
        {
            "what": kept.what,
            "name": kept.name,
            "currency": kept.currency,
            "balance": format_amount(kept.balance, kept.currency),
            "set_aside": format_amount(kept.set_aside, kept.currency),
        }
        for kept in accounts
    ]


def _prompt_words(prompt: str) -> str:
    kind, _, content = prompt.partition(":")
    return f"prompt rendered: {content}" if kind == "tts" else f"prompt copied: {content}"
