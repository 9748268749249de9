"""Checks of an IVR flow: each node has what its kind needs, an offer can be reached, and every way ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields

from ari_app.domain.basics.yamltext import Complaint, FieldPath
from ari_app.domain.document.termchecks import check_clause
from ari_app.domain.document.world import World, check_name, check_prompt, listed
from ari_app.domain.market.flows import Collect, Flow, Node

MENU_KEYS = frozenset("0123456789*#")
BRANCH_KINDS = ("answer_in", "caller_in", "within_hours")
_ASKING = {"tries", "on_no_input", "on_invalid", "invalid_prompt", "barge_in", "timers"}
_NODE_FIELDS: dict[str, set[str]] = {
    "menu": {"choices", *_ASKING},
    "collect": {"next", *_ASKING},
    "branch": {"otherwise"},
    "play": {"next", "hangup"},
    "offer": set(),
    "hangup": set(),
}


def check_flow(path: FieldPath, flow: Flow, world: World) -> Iterator[Complaint]:
    """Complaints about a flow. `path` is where the document has it."""
    answers = answers_of(flow)
    complaints = list(check_name((*path, "start"), flow.start, flow.nodes, "node"))
    for name, node in flow.nodes.items():
        node_path = (*path, "nodes", name)
        complaints += _node(node_path, node, answers, world)
        for edge, target in _edges(node):
            complaints += check_name((*node_path, *edge), target, flow.nodes, "node")
    yield from complaints
    if not complaints:  # otherwise one slip would be reported many times over
        yield from _ways(path, flow)


def _node(path: FieldPath, node: Node, answers: Collection[str], world: World) -> Iterator[Complaint]:
    kinds = [kind for kind in _NODE_FIELDS if getattr(node, kind) is not None]
    if kinds == ["play", "hangup"]:
        kinds = ["play"]
    if len(kinds) != 1:
        yield Complaint(path, f"expected exactly one of {', '.join(_NODE_FIELDS)}; got {listed(kinds)}")
        return
    for name in _set_fields(node) - _NODE_FIELDS[kinds[0]] - {kinds[0]}:
        yield Complaint((*path, name), f"a node with {kinds[0]} has no {name}")
    if kinds[0] in _NODE_CHECKS:
        yield from _NODE_CHECKS[kinds[0]](path, node)
    for index, branch in enumerate(node.branch or ()):
        yield from check_clause((*path, "branch", index, "when"), branch.when, BRANCH_KINDS, answers, world)
    for place, prompt in _prompts(node):
        yield from check_prompt((*path, *place), prompt, world)


def _set_fields(node: Node) -> set[str]:
    """The fields that differ from their defaults."""
    return {
        field.name
        for field in fields(node)
        if field.default is not MISSING and getattr(node, field.name) != field.default
    }


def _menu(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if not node.choices:
        yield Complaint(path, "expected choices: the keys of the menu and where each leads")
    for key in node.choices or ():
        if key not in MENU_KEYS:
            yield Complaint((*path, "choices", key), "expected a single key: 0 to 9, * or #")


def _collect(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if node.next is None:
        yield Complaint(path, "expected next: the node after the digits")
    collect = node.collect
    if collect is not None:
        yield from _digits((*path, "collect"), collect)


def _digits(path: FieldPath, collect: Collect) -> Iterator[Complaint]:
    if collect.min_digits is not None and collect.min_digits > collect.digits:
        yield Complaint((*path, "min_digits"), f"expected at most digits, which is {collect.digits}")
    if collect.check == "us-zip" and (collect.digits != 5 or collect.min_digits not in (None, 5)):
        yield Complaint((*path, "digits"), "expected 5, as the check is us-zip")


def _branch(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if not node.branch:
        yield Complaint((*path, "branch"), "expected at least one item with when and next")
    if node.otherwise is None:
        yield Complaint(path, "expected otherwise: the node where no item holds")


def _play(path: FieldPath, node: Node) -> Iterator[Complaint]:
    if (node.next is None) == (node.hangup is None):
        yield Complaint(path, "expected either next or hangup: true after play")


_NODE_CHECKS: dict[str, Callable[[FieldPath, Node], Iterator[Complaint]]] = {
    "menu": _menu,
    "collect": _collect,
    "branch": _branch,
    "play": _play,
}


def _ways(path: FieldPath, flow: Flow) -> Iterator[Complaint]:
    """Checks where the flow leads: every node is reached, an offer too, and a silent caller comes to an end."""
    ways = {name: [target for _, target in _edges(node)] for name, node in flow.nodes.items()}
    reached = _reached(flow.start, ways)
    for name in flow.nodes:
        if name not in reached:
            yield Complaint((*path, "nodes", name), f"nothing leads here from the start '{flow.start}'")
    if not any(flow.nodes[name].offer for name in reached):
        yield Complaint((*path, "start"), "nothing leads from here to a node with offer: true")
    silent = {name: list(_silent_edges(node)) for name, node in flow.nodes.items()}
    for name in flow.nodes:
        if any(name in _reached(target, silent) for target in silent[name]):
            yield Complaint((*path, "nodes", name), "a caller who presses nothing comes back here for ever")
            return


def _reached(start: str, ways: Mapping[str, Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += ways[name]
    return reached


def _edges(node: Node) -> Iterator[tuple[FieldPath, str]]:
    """The ways out of a node: the path of the field that names the next node, and that node."""
    for key, choice in (node.choices or {}).items():
        yield ("choices", key, "next"), choice.next
    for index, branch in enumerate(node.branch or ()):
        yield ("branch", index, "next"), branch.next
    for name in ("otherwise", "next", "on_no_input", "on_invalid"):
        target = getattr(node, name)
        if target is not None:
            yield (name,), target


def _silent_edges(node: Node) -> Iterator[str]:
    """The next nodes for a caller who presses nothing."""
    if node.menu is not None or node.collect is not None:
        if node.on_no_input is not None:
            yield node.on_no_input
        return
    yield from (target for _, target in _edges(node))


def answers_of(flow: Flow) -> set[str]:
    """The names of the answers that the flow can set."""
    names = {node.collect.as_ for node in flow.nodes.values() if node.collect is not None}
    for node in flow.nodes.values():
        for choice in (node.choices or {}).values():
            names.update(choice.set or ())
    return names


def _prompts(node: Node) -> Iterator[tuple[FieldPath, str | None]]:
    yield ("play",), node.play
    yield ("invalid_prompt",), node.invalid_prompt
    if node.menu is not None:
        yield ("menu", "prompt"), node.menu.prompt
    if node.collect is not None:
        yield ("collect", "prompt"), node.collect.prompt
