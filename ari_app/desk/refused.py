"""Why a use case refuses: a closed list of codes, each with its sentence.

A face tells a refusal in its own way: the sentence as it is, an error with the code and the facts, or the sentence and
what to do about it (`cli/remedies.py`). So no sentence names a command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

Fact = str | int | None | Sequence[str]
"""A value of a refusal: an id, a count, or ids, which are told with commas between."""


class Code(StrEnum):
    """The codes, and the sentence of each; what stands in braces are its facts."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Code:
        made = str.__new__(cls, code)
        made._value_ = code
        made.sentence = sentence
        return made

    NO_MARKETPLACE = "no_marketplace", "no marketplace was applied yet"
    MARKETPLACE_EXISTS = "marketplace_exists", "there is a marketplace in force already"
    UNKNOWN = "unknown", "there is no {what} {name}"
    EXISTS = "exists", "there is a {what} {name} already"


class Refused(Exception):
    """What was asked cannot be done, and nothing has changed. `str` is the sentence.

    Raises KeyError when a fact of the code's sentence is not given.
    """

    def __init__(self, code: Code, **facts: Fact) -> None:
        super().__init__(code.sentence.format_map({name: _text(fact) for name, fact in facts.items()}))
        self.code = code
        self.facts: Mapping[str, Fact] = facts


def _text(fact: Fact) -> str:
    return str(fact) if fact is None or isinstance(fact, str | int) else ", ".join(fact)
