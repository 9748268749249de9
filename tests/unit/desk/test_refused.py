"""Refusals: each code has a sentence, and what a command line adds to it can be filled in."""

from __future__ import annotations

from string import Formatter

import pytest

from ari_app.cli.remedies import REMEDIES, told
from ari_app.desk.refused import Code, Refused


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_a_refusal_says_its_sentence_with_its_facts() -> None:
    refused = Refused(Code.UNKNOWN, what="campaign", name="{plumbing}")
    assert str(refused) == "there is no campaign {plumbing}"
    assert (refused.code, refused.facts) == ("unknown", {"what": "campaign", "name": "{plumbing}"})


def test_a_refusal_without_one_of_its_facts_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        Refused(Code.UNKNOWN, what="campaign")


def test_the_command_line_adds_what_to_do() -> None:
    refused = Refused(Code.UNKNOWN, what="campaign", name="night")
    assert told(refused) == "there is no campaign night; see `callrace campaigns list`"
    assert told(ValueError("what it says")) == "what it says"


MORE_FACTS = {Code.SEVERAL_NUMBERS: {"sources"}}  # what only the remedy tells


@pytest.mark.parametrize("code", list(Code))
def test_no_sentence_names_a_command_and_each_remedy_has_its_facts(code: Code) -> None:
    assert "callrace " not in code.sentence
    assert fields(REMEDIES.get(code, "")) <= fields(code.sentence) | MORE_FACTS.get(code, set())
