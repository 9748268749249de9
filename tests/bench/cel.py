"""Asterisk's own times: of each bridged pair, the agent's answer and the moment both were in the bridge."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

AGENT = "PJSIP/agents-"  # how the names of the agents' channels begin

CEL_CONF = """[general]
enable = yes
events = ANSWER,BRIDGE_ENTER
"""
# Fields by name: Asterisk writes them without evaluating dialplan functions, ten times cheaper.
CEL_CUSTOM_CONF = """[bench.csv]
fields = EventType,EventTime,UniqueID,ChanName,EventExtra
"""
MODULES_CONF = """load = res_cdrel_custom.so
load = cel_custom.so
"""


@dataclass(slots=True)
class _Bridge:
    entered: dict[str, float] = field(default_factory=dict)  # channel -> when first
    agent: str | None = None


class Times:
    """The event log of one Asterisk, read from where it was last read to."""

    def __init__(self, log: Path) -> None:
        self._path = log / "cel-custom" / "bench.csv"
        self._read_to = 0

    def answer_to_bridged_ms(self) -> list[float]:
        """Of each call bridged since this was last asked, the milliseconds from answer to bridged."""
        if not self._path.exists():
            return []
        with self._path.open(newline="") as lines:
            lines.seek(self._read_to)
            text = lines.read()
            self._read_to = lines.tell()
        return answer_to_bridged_ms(text.splitlines())


def answer_to_bridged_ms(lines: Iterable[str]) -> list[float]:
    """Pairs the agents' answers with the bridges that they entered, by channel and bridge id."""
    answered: dict[str, float] = {}
    bridges: dict[str, _Bridge] = {}
    for what, at, channel, name, extra in csv.reader(lines):
        if what == "ANSWER" and name.startswith(AGENT):
            answered[channel] = float(at)
        elif what == "BRIDGE_ENTER":
            bridge = bridges.setdefault(json.loads(extra)["bridge_id"], _Bridge())
            bridge.entered.setdefault(channel, float(at))
            if name.startswith(AGENT):
                bridge.agent = channel
    return [
        (max(bridge.entered.values()) - answered[bridge.agent]) * 1000
        for bridge in bridges.values()
        if bridge.agent in answered and len(bridge.entered) == 2
    ]
