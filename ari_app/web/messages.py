"""What pages say, from one catalogue: `messages.toml`, in American English. Another language is another file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

LANGUAGE = "en-US"
_FILE = Path(__file__).with_name("messages.toml")


@cache
def catalogue() -> Mapping[str, str]:
    """Each message by its name: `sign_in.title`."""
    parts = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {f"{part}.{name}": text for part, named in parts.items() for name, text in named.items()}


def text(name: str, /, **facts: object) -> str:
    """A message, with these facts in it. Raises KeyError for one that is not there, or lacks a fact."""
    return catalogue()[name].format_map(facts)


def known(part: str, name: object) -> str:
    """What the catalogue has for a word of ours, such as a call's disposition; the word itself where it has nothing."""
    return catalogue().get(f"{part}.{name}", str(name).replace("_", " "))
