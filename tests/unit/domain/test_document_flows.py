"""What of a flow in a marketplace is refused, and at which line."""

import pytest

from tests.unit.domain.documents import changed, findings


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("start: ask", "start: aks", "flows.intake.start: there is no node 'aks'; did you mean 'ask'?"),
        ('"2": {next: split}', '"2": {next: spilt}', "choices.2.next: there is no node 'spilt'"),
        ("on_no_input: bye", "on_no_input: by", "nodes.ask.on_no_input: there is no node 'by'"),
        ("            next: offer", "            next: offers", "branch[0].next: there is no node 'offers'"),
        ('"2": {next: split}', '"22": {next: split}', "choices.22: expected a single key: 0 to 9, * or #"),
        (
            "offer: {offer: true}",
            "offer: {offer: true}\n      lost: {hangup: true}",
            "nodes.lost: nothing leads here from the start 'ask'",
        ),
        (
            "offer: {offer: true}",
            "offer: {offer: true, next: bye}",
            "offer.next: a node with offer has no next",
        ),
        (
            "offer: {offer: true}",
            'offer: {offer: true, play: "sound:a"}',
            "nodes.offer: expected exactly one of",
        ),
        ("offer: {offer: true}", "offer: {}", "nodes.offer: expected exactly one of"),
        (
            "{offer: true}",
            "{hangup: true}",
            "flows.intake.start: nothing leads from here to a node with offer: true",
        ),
        (
            'bye: {play: "sound:vm-goodbye", hangup: true}',
            'bye: {play: "sound:vm-goodbye"}',
            "expected either next or hangup: true after play",
        ),
        (
            'bye: {play: "sound:vm-goodbye", hangup: true}',
            'bye: {play: "sound:a", hangup: true, next: ask}',
            "expected either next or hangup: true after play",
        ),
        ("        otherwise: bye\n", "", "nodes.split: expected otherwise"),
        (
            "on_no_input: bye",
            "on_no_input: ask",
            "nodes.ask: a caller who presses nothing comes back here for ever",
        ),
        (
            "{answer_in: {service: [repair]}}",
            "{connected_at_least: 5s}",
            "branch[0].when: expected exactly one of answer_in, caller_in, within_hours",
        ),
        (
            "{answer_in: {service: [repair]}}",
            "{answer_in: {colour: [red]}}",
            "no node of the flow sets the answer 'colour'",
        ),
        (
            'choices: {"1": {set: {service: repair}, next: split}, "2": {next: split}}',
            "choices: {}",
            "nodes.ask: expected choices",
        ),
    ],
)
def test_a_flow_that_cannot_work_is_refused(old: str, new: str, finding: str) -> None:
    assert any(finding in line for line in findings(changed(old, new)))


def test_a_loop_without_a_question_is_refused() -> None:
    text = changed(
        'bye: {play: "sound:vm-goodbye", hangup: true}', 'bye: {play: "sound:vm-goodbye", next: split}'
    )
    assert any("for ever" in line for line in findings(text))


@pytest.mark.parametrize(
    ("collect", "finding"),
    [
        ('{prompt: "tts:x", digits: 5}', "collect.as: this field is required"),
        ('{prompt: "tts:x", digits: 4, as: zip, check: us-zip}', "expected 5, as the check is us-zip"),
        (
            '{prompt: "tts:x", digits: 4, min_digits: 5, as: a}',
            "min_digits: expected at most digits, which is 4",
        ),
    ],
)
def test_a_collection_that_cannot_work_is_refused(collect: str, finding: str) -> None:
    text = changed(
        "offer: {offer: true}", f"offer: {{offer: true}}\n      x: {{collect: {collect}, next: offer}}"
    )
    assert any(finding in line for line in findings(text.replace('"2": {next: split}', '"2": {next: x}')))


def test_a_collection_without_a_next_node_is_refused() -> None:
    node = '{collect: {prompt: "tts:x", digits: 5, as: a}}'
    text = changed("offer: {offer: true}", f"offer: {{offer: true}}\n      x: {node}")
    assert any("nodes.x: expected next" in line for line in findings(text))
