"""The whisper: what an agent hears about the call before the accept prompt.

It is written as speech with names in braces: `tts:Plumbing. {service}, in {state}.` A name is an answer of the
campaign's flow, or `state`. No text is rendered during a call, so each part of the whisper is a prompt of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ari_app.domain.basics.states import STATE_NAMES
from ari_app.domain.market.flows import Flow

STATE = "state"
_PARTS = re.compile(r"\{([a-z][a-z0-9_-]*)\}")
_SAID = re.compile(r"\w")  # what has no letter and no digit is silence


def names(whisper: str) -> list[str]:
    """The names in braces, in their order."""
    return _PARTS.findall(whisper)


def heard(whisper: str, answers: Mapping[str, str], state: str | None) -> list[str]:
    """The prompts to play, one after the other. An answer that is not known is left out."""
    said = {**answers, STATE: STATE_NAMES.get(state or "", "")}
    prompts: list[str] = []
    for n, part in enumerate(_PARTS.split(whisper.removeprefix("tts:"))):
        prompts += _value(said.get(part, "")) if n % 2 else _text(part)
    return prompts


def possible(whisper: str, flow: Flow | None) -> Iterator[str]:
    """Every prompt that `heard` may give in a campaign with this flow."""
    for n, part in enumerate(_PARTS.split(whisper.removeprefix("tts:"))):
        if n % 2 == 0:
            yield from _text(part)
        else:
            for value in STATE_NAMES.values() if part == STATE else _values(part, flow):
                yield from _value(value)


def _values(name: str, flow: Flow | None) -> set[str]:
    """The values that an answer can have: the words that menus set; for an answer that is keyed in, each digit."""
    nodes = flow.nodes.values() if flow else ()
    choices = [choice.set or {} for node in nodes for choice in (node.choices or {}).values()]
    words = {values[name] for values in choices if name in values}
    is_keyed = any(node.collect and node.collect.as_ == name for node in nodes)
    return words | set("0123456789" if is_keyed else "")


def _text(text: str) -> list[str]:
    return [f"tts:{text.strip()}"] if _SAID.search(text) else []


def _value(value: str) -> list[str]:
    if value.isdigit():
        return [f"sound:digits/{digit}" for digit in value]
    return _text(value)
