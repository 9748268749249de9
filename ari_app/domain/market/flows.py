"""IVR flows as a document has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from ari_app.domain.basics.fields import Id, Name, PositiveMs, Prompt, Text, whole_between
from ari_app.domain.market.shapes import STRICT
from ari_app.domain.market.terms import Clause


@dataclass(frozen=True, slots=True, config=STRICT)
class Choice:
    """What a menu's digit does: sets answers, then goes to the node `next`."""

    next: Id
    set: Mapping[Name, Text] | None = None


@dataclass(frozen=True, slots=True, config=STRICT)
class Menu:
    """A prompt that a single digit answers."""

    prompt: Prompt


@dataclass(frozen=True, slots=True, config=STRICT)
class Collect:
    """A prompt that is answered by `digits` digits, or by `min_digits` to `digits` digits and `#`."""

    prompt: Prompt
    digits: Annotated[int, whole_between(1, 32)]
    as_: Name = Field(alias="as")
    min_digits: Annotated[int, whole_between(1, 32)] | None = None
    check: Literal["us-zip", "any"] = "any"


@dataclass(frozen=True, slots=True, config=STRICT)
class Branch:
    """Goes to `next` when the clause holds."""

    when: Clause
    next: Id


@dataclass(frozen=True, slots=True, config=STRICT)
class Timers:
    """How long a caller has: to the first digit, between digits, and for the whole input."""

    first_digit: PositiveMs = 5_000
    inter_digit: PositiveMs = 3_000
    overall: PositiveMs = 20_000


@dataclass(frozen=True, slots=True, config=STRICT)
class Node:
    """One step of a flow. Exactly one of menu, collect, branch, play, offer, or hangup alone."""

    menu: Menu | None = None
    choices: Mapping[str, Choice] | None = None
    collect: Collect | None = None
    branch: tuple[Branch, ...] | None = None
    otherwise: Id | None = None
    play: Prompt | None = None
    offer: Literal[True] | None = None
    hangup: Literal[True] | None = None
    next: Id | None = None
    tries: Annotated[int, whole_between(1, 10)] = 3
    on_no_input: Id | None = None
    on_invalid: Id | None = None
    invalid_prompt: Prompt | None = None
    barge_in: bool = True
    timers: Timers = Timers()


@dataclass(frozen=True, slots=True, config=STRICT)
class Flow:
    """An IVR flow: nodes by name, and where to begin. After `longest` it ends, wherever the caller is."""

    start: Id
    nodes: Mapping[Id, Node]
    longest: PositiveMs = 600_000
