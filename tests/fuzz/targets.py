"""What takes input from outside, what it is given, and what must hold whatever that is.

A check raises for a defect: any exception but the one that the docstring of what it calls names.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from agi.conversation import Conversation, ProtocolError
from ari_app.ari.client import connect
from ari_app.ari.events import EVENT_TYPES
from ari_app.domain.basics.errors import DocumentError
from ari_app.domain.document.reading import from_document, parse, to_document
from ari_app.domain.numbers import inventory
from ari_app.settings import REPOSITORY
from tests.fuzz.mutation import edited
from tests.unit.ari.fakes import SETTINGS, ScriptedTransport, event


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes input from outside.

    `inputs` are Hypothesis'. atheris begins with `good` and `tokens`, and `of` makes an input of its bytes.
    """

    inputs: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    good: str
    tokens: Sequence[str]
    of: Callable[[bytes], Any]


# ARI events

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = (
    "channel",
    "timestamp",
    "type",
    "args",
    "playback",
    "bridge",
    "digit",
    "cause",
    "id",
    "state",
    "caller",
)


@st.composite
def _events(draw: st.DrawFn) -> str:
    message = event(draw(st.sampled_from(EVENT_TYPES)), args=["in", "+18005550101", "+12125550142"])
    for name in draw(st.lists(st.sampled_from(_FIELDS), max_size=3)):
        inside = draw(st.sampled_from([message, message.get("channel")]))
        if isinstance(inside, dict):
            inside[name] = draw(_JSON)
    return json.dumps(message)


_JSON_TOKENS = ("{", "}", '"', "[", "]", "\\u0000", "null", "9" * 400)


async def _go_on(messages: list[str]) -> None:
    """However bad the messages are, the call that comes after them is served."""
    arrived: asyncio.Queue[str] = asyncio.Queue()
    transport = ScriptedTransport()
    async with connect(SETTINGS, lambda start: arrived.put_nowait(start.channel_id), transport):
        for message in (*messages, json.dumps(event("StasisStart", "the-next", args=[]))):
            transport.streams[0].send(message)
        async with asyncio.timeout(5):
            while await arrived.get() != "the-next":
                continue


# AGI headers

_HEADER = """agi_network: yes
agi_network_script: route
agi_request: agi://127.0.0.1/route
agi_channel: PJSIP/carrier-00000001
agi_uniqueid: 1795593349.0
agi_callerid: +12125550142
agi_arg_1: +18005550101
agi_arg_2: +12125550142
agi_arg_3: A
agi_arg_4: 1763992800000

"""

_AGI_TOKENS = ("\n", ": ", "agi_arg_1: ", "agi_", "\r", "\x00", "+1", "%2B")


def _read_header(header: bytes) -> None:
    """A header is refused, or what it asks is something that can be said."""
    with suppress(ProtocolError):
        request = Conversation(header).request
        str((request, request.did, request.ani, request.attestation, request.begun_id))


# Documents


def _round_trip(text: str) -> None:
    """A document is refused whole, or what is exported of it is the same marketplace."""
    with suppress(DocumentError):
        marketplace = parse(text, "fuzz.yaml")
        assert from_document(to_document(marketplace)) == marketplace


_DEMO = (REPOSITORY / "config" / "demo.yaml").read_text()
_YAML_TOKENS = (
    "\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "<<: *a", "!!python/object:os.system ", "null", "0", "-1",
    "1e400", "9" * 30, "30d", "0s", '"', "'", "|\n", "#", "\t", "\x00", "\u2028", "yes", "2026-11-25", "+1", "agent-1",
)  # fmt: skip


# Stock


def _read_stock(text: str) -> None:
    """A file is refused whole, or each number in it is one."""
    with suppress(DocumentError):
        assert all(item.did.startswith("+") for item in inventory.parse(text, "stock.csv", {}.get))


_STOCK = "did,kind,region,trunk\n+12125550100,local,NY,main\n+18005550101,tollfree,,main\n"
_CSV_TOKENS = (
    ",", '"', '""', "\n", "\r\n", "\r", "\x00", "\ufeff", "=1+1", "+1212555", "local", "tollfree", "ny", ";"
)  # fmt: skip


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


TARGETS = {
    "ARI events": Target(
        st.lists(edited(_events(), _JSON_TOKENS), max_size=8),
        lambda messages: asyncio.run(_go_on(messages)),
        json.dumps(event("StasisStart", args=["in", "+18005550101", "+12125550142"])),
        _JSON_TOKENS,
        lambda data: [_text(data)],
    ),
    "AGI headers": Target(
        edited(st.just(_HEADER), _AGI_TOKENS)
        .map(lambda text: text.encode(errors="surrogatepass"))
        .flatmap(
            lambda good: st.one_of(st.just(good), st.binary(max_size=200).map(lambda more: good + more))
        ),
        _read_header,
        _HEADER,
        _AGI_TOKENS,
        bytes,
    ),
    "YAML documents": Target(edited(st.just(_DEMO), _YAML_TOKENS), _round_trip, _DEMO, _YAML_TOKENS, _text),
    "CSV imports": Target(edited(st.just(_STOCK), _CSV_TOKENS), _read_stock, _STOCK, _CSV_TOKENS, _text),
}
