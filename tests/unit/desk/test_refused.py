"""Refusals: each code has a sentence, and what a command line adds to it can be filled in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from ari_app.cli.remedies import REMEDIES, looked_at, told
from ari_app.desk.refused import Code, Refused
from ari_app.watch.finding import Finding, Step

ROOT = Path(__file__).parents[3]


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


# What only the remedy tells.
MORE_FACTS = {Code.IN_DISPUTE: {"dispute"}, Code.SEVERAL_NUMBERS: {"sources"}}


@pytest.mark.parametrize("code", list(Code))
def test_no_sentence_names_a_command_and_each_remedy_has_its_facts(code: Code) -> None:
    assert "callrace " not in code.sentence
    assert fields(REMEDIES.get(code, "")) <= fields(code.sentence) | MORE_FACTS.get(code, set())


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """The texts in a module, with their lines, but for the docstrings."""
    tree = ast.parse(file.read_text())
    described = {id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
            yield node.lineno, node.value


def test_nothing_outside_the_command_line_tells_people_to_give_a_command() -> None:
    """It may be read on a web page. The lab, whose demo is played in a terminal, is of the command line."""
    rooms = [room for room in (ROOT / "ari_app").iterdir() if room.name not in ("cli", "lab")]
    files = [
        file for room in (*rooms, ROOT / "agi") for file in (room.rglob("*.py") if room.is_dir() else [room])
    ]
    said = [
        f"{file}:{line}"
        for file in files
        if file.suffix == ".py"
        for line, text in texts_of(file)
        if "`callrace " in text
    ]
    assert len(files) > 200
    assert said == []


def test_each_step_that_the_doctor_names_has_its_command() -> None:
    told = looked_at(Finding("all", False, "", "; ".join(Step))).remedy
    assert [part.count("`callrace ") for part in told.split("; ")] == [1] * len(Step)
