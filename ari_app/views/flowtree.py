"""An IVR flow as an indented tree. Pure: a flow becomes lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from ari_app.domain.market.flows import Flow, Node
from ari_app.domain.market.terms import Clause


def tree(flow: Flow) -> list[str]:
    """The flow from its start. For a node that was shown already, only the name is given."""
    return list(_node(flow, flow.start, "", "", set()))


def _node(flow: Flow, name: str, way: str, indent: str, shown: set[str]) -> Iterator[str]:
    if name in shown:
        yield f"{indent}{way}{name} (above)"
        return
    shown.add(name)
    node = flow.nodes[name]
    yield f"{indent}{way}{name}: {_what(node)}"
    for label, next_ in _ways(node):
        if next_ is None:
            yield f"{indent}  {label} -> hang up"
        else:
            yield from _node(flow, next_, f"{label} -> ", f"{indent}  ", shown)


def _what(node: Node) -> str:
    tries = f", {node.tries} tries" if node.tries > 1 else ""
    if node.menu is not None:
        return f"menu, {_said(node.menu.prompt)}{tries}"
    if node.collect is not None:
        collect = node.collect
        least = f"{collect.min_digits} to " if collect.min_digits not in (None, collect.digits) else ""
        checked = ", a US ZIP code" if collect.check == "us-zip" else ""
        digits = f"{least}{collect.digits} digits as {collect.as_}{checked}"
        return f"collect {digits}, {_said(collect.prompt)}{tries}"
    if node.branch is not None:
        return "branch"
    if node.offer:
        return "offer the call"
    if node.play is not None:
        return f"say {_said(node.play)}{' and hang up' if node.hangup else ''}"
    return "hang up"


def _said(prompt: str) -> str:
    kind, _, content = prompt.partition(":")
    return f'"{content}"' if kind == "tts" else prompt


def _ways(node: Node) -> Iterator[tuple[str, str | None]]:
    """Where the caller can go from here; None means hangup."""
    for digit, choice in (node.choices or {}).items():
        answers = ", ".join(f"{name} = {value}" for name, value in (choice.set or {}).items())
        yield f"{digit}{f' ({answers})' if answers else ''}", choice.next
    for branch in node.branch or ():
        yield f"when {_condition(branch.when)}", branch.next
    if node.branch is not None:
        yield "otherwise", node.otherwise
    if node.next is not None:
        yield "then", node.next
    if node.menu is not None or node.collect is not None:
        yield "nothing pressed", node.on_no_input
        yield "wrong keys", node.on_invalid


def _condition(clause: Clause) -> str:
    if clause.answer_in is not None:
        return " and ".join(f"{name} is {' or '.join(sorted(v))}" for name, v in clause.answer_in.items())
    if clause.within_hours is not None:
        return f"it is {', '.join(clause.within_hours.open)}"
    return "the caller is in the area named"
