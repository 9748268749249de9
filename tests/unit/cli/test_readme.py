"""Every command that README names is there, with the options that it is given."""

from __future__ import annotations

import shlex
from itertools import product

import click
import pytest

from ari_app.cli.main import main
from tests import readme


def read(command: str) -> list[list[str]]:
    """The words of a command; of `spool list|retry` those of both."""
    words = [word.split("|") for word in shlex.split(command)]
    return [list(chosen) for chosen in product(*words)]


@pytest.mark.parametrize("command", sorted(set(readme.named())))
def test_a_command_of_the_readme_is_there_with_its_options(command: str) -> None:
    for words in read(command):
        _, *rest = words
        found: click.Command = main
        while isinstance(found, click.Group) and rest:
            name = rest.pop(0)
            assert name in found.commands, f"{command}: there is no {name}"
            found = found.commands[name]
        options = {
            flag for parameter in found.params for flag in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {word for word in rest if word.startswith("--")} - options == set()


def test_the_readme_names_dozens_of_commands() -> None:
    assert len(set(readme.named())) > 40
