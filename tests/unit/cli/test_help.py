"""Every command explains itself: what it does, an example where it takes anything, --json where it ends."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from ari_app.cli.main import NOUNS, main

# Commands that keep running, or tell their steps, or print a shell's script. All others take --json.
WITHOUT_JSON = {"agi run", "completion", "demo", "lab down", "lab up", "switch run", "web run"}


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


ALL = dict(_commands(main))
RUNNABLE = {name: command for name, command in ALL.items() if not isinstance(command, click.Group)}


@pytest.mark.parametrize("name", ALL)
def test_a_command_says_what_it_does_in_a_sentence(name: str) -> None:
    first_line = (ALL[name].help or "").strip().split("\n")[0]
    assert len(first_line) > 10


@pytest.mark.parametrize("noun", NOUNS)
def test_the_list_of_commands_says_of_each_what_it_says_itself(noun: str) -> None:
    assert NOUNS[noun] == main.commands[noun].get_short_help_str(1000)


@pytest.mark.parametrize("name", ALL)
def test_every_option_says_what_it_is(name: str) -> None:
    options = [param for param in ALL[name].params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_command_that_takes_anything_shows_an_example_of_itself(name: str) -> None:
    if any(param.name != "as_json" for param in RUNNABLE[name].params):
        assert f"callrace {name}" in (RUNNABLE[name].help or "")


@pytest.mark.parametrize("name", sorted(set(RUNNABLE) - WITHOUT_JSON))
def test_a_command_that_has_a_result_takes_json(name: str) -> None:
    assert "as_json" in [param.name for param in RUNNABLE[name].params]


def test_no_command_that_is_gone_is_excused() -> None:
    assert set(RUNNABLE) >= WITHOUT_JSON
