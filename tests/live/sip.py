"""A SIP party that says word for word what a test has it say: for dialects that SIPp's scenarios do not speak.

It retransmits nothing: on the loopback interface nothing is lost. What Asterisk asks in a dialog is answered 200, or as
the test says (`Dialog.answers_with`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ari_app.lab.ports import free_udp_port

WAIT_S = 10.0
CRLF = "\r\n"


def sdp(port: int, *, direction: str = "sendrecv", address: str = "127.0.0.1", media: str = "") -> str:
    """A session description: audio in PCMU, or `media` in place of it."""
    audio = f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    head = (
        f"v=0\r\no=- 1 {secrets.randbelow(10**9)} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    )
    return head + (media or audio)


@dataclass(frozen=True)
class Message:
    """A request or a response as it came."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def __getitem__(self, name: str) -> str:
        """The first header of a name; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every header of a name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def status(self) -> int:
        """Of a response; 0 of a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """Of a request, or of the request that a response is to."""
        return self["CSeq"].split()[1]

    @property
    def tag(self) -> str:
        """The tag in To."""
        return self["To"].partition(";tag=")[2].partition(";")[0]


def parsed(data: bytes) -> Message:
    """A datagram."""
    head, _, body = data.decode().partition(CRLF + CRLF)
    first, *lines = head.split(CRLF)
    pairs = (line.partition(":") for line in lines)
    return Message(first, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)


class Party(asyncio.DatagramProtocol):
    """One address, and what came to it that no dialog of its own waits for."""

    def __init__(self, to: str, host: str) -> None:
        self.to = to
        self.host = host
        self.port = free_udp_port()
        self.rtp_port = free_udp_port()
        self.dialogs: dict[str, Dialog] = {}
        self.invites: asyncio.Queue[Dialog] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Listens."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (self.host, self.port))

    def close(self) -> None:
        """Listens no more."""
        assert self._transport is not None
        self._transport.close()

    @property
    def uri(self) -> str:
        """Where it is called."""
        return f"sip:party@{self.host}:{self.port}"

    def call(self, did: str, ani: str = "+12125550142", **ids: str) -> Dialog:
        """A dialog of which it is the caller; nothing is sent yet. `ids`: `call_id` and `tag`, where they matter."""
        made = Dialog(self, f"sip:{did}@{self.to}", f"<sip:{ani}@127.0.0.1>", f"<sip:{did}@{self.to}>", **ids)
        self.dialogs[made.call_id] = made
        return made

    async def called(self) -> Dialog:
        """The next dialog that it is called in; `invite` is what came."""
        async with asyncio.timeout(WAIT_S):
            return await self.invites.get()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """From Asterisk."""
        if not data.strip():
            return
        message = parsed(data)
        dialog = self.dialogs.get(message["Call-ID"])
        if dialog is None:
            assert message.first.startswith("INVITE"), message.first
            contact = message["Contact"].strip("<>")
            dialog = Dialog(self, contact, message["To"], message["From"], call_id=message["Call-ID"])
            dialog.invite, dialog.peer_tag = message, message["From"].partition(";tag=")[2]
            dialog.peer = message["From"].partition(";tag=")[0]
            self.dialogs[dialog.call_id] = dialog
            self.invites.put_nowait(dialog)
        else:
            dialog.take(message)

    def send(self, text: str) -> None:
        """To Asterisk."""
        host, _, port = self.to.partition(":")
        assert self._transport is not None
        self._transport.sendto(text.encode(), (host, int(port)))


class Dialog:
    """One call of a party's. `came` are the requests of Asterisk's in it, in order.

    `answers_with`: the status of its answers to them, but for ACK, INVITE and CANCEL; empty: it answers nothing.
    """

    def __init__(
        self, party: Party, target: str, us: str, peer: str, *, call_id: str = "", tag: str = ""
    ) -> None:
        self.party = party
        self.target, self.us, self.peer = target, us, peer
        self.call_id, self.tag, self.peer_tag = (
            call_id or secrets.token_hex(8),
            tag or secrets.token_hex(4),
            "",
        )
        self.cseq = 0
        self.answers_with = "200 OK"
        self.invite: Message | None = None
        self.came: list[Message] = []
        self._responses: asyncio.Queue[Message] = asyncio.Queue()
        self._requests: asyncio.Queue[Message] = asyncio.Queue()

    # What it says

    def send(
        self, method: str, *headers: str, body: str = "", cseq: int | None = None, branch: str = ""
    ) -> int:
        """A request; its CSeq number."""
        if cseq is None:
            self.cseq += 1
        number = cseq or self.cseq
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.party.host}:{self.party.port};branch=z9hG4bK{branch or secrets.token_hex(6)}",
            "Max-Forwards: 70",
            f"From: {self.us};tag={self.tag}",
            f"To: {self.peer}" + (f";tag={self.peer_tag}" if self.peer_tag else ""),
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <{self.party.uri}>",
            *headers,
        ]
        self._say(lines, body)
        return number

    async def ask(self, method: str, *headers: str, body: str = "") -> Message:
        """A request and its final response, with its ACK where it is an INVITE."""
        number = self.send(method, *headers, body=body)
        answer = await self.final(method, number)
        if method == "INVITE":
            self.send("ACK", cseq=number)
        return answer

    def answer(self, request: Message, status: str, *headers: str, body: str = "") -> None:
        """A response, such as `200 OK`, to a request of Asterisk's."""
        to = request["To"] if ";tag=" in request["To"] else f"{request['To']};tag={self.tag}"
        lines = [
            f"SIP/2.0 {status}",
            *(f"Via: {via}" for via in request.all("Via")),
            f"From: {request['From']}",
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {request['CSeq']}",
            f"Contact: <{self.party.uri}>",
            *headers,
        ]
        self._say(lines, body)

    def _say(self, lines: Sequence[str], body: str) -> None:
        kind = ["Content-Type: application/sdp"] if body else []
        self.party.send(CRLF.join([*lines, *kind, f"Content-Length: {len(body)}", "", body]))

    # What it hears

    async def response(self, method: str, number: int) -> Message:
        """The next response to a request."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self._responses.get()
                if message["CSeq"] == f"{number} {method}":
                    return message

    async def final(self, method: str, number: int) -> Message:
        """Its final response, which makes the dialog where it is a 200 to an INVITE."""
        while (message := await self.response(method, number)).status < 200:
            pass
        if method == "INVITE" and message.status == 200:
            self.peer_tag = message.tag
            self.target = message["Contact"].strip("<>")
        return message

    async def request(self, method: str, within_s: float = WAIT_S) -> Message:
        """The next request of Asterisk's of this method; others are passed over."""
        async with asyncio.timeout(within_s):
            while (message := await self._requests.get()).method != method:
                pass
        return message

    def take(self, message: Message) -> None:
        """What came for this dialog."""
        if message.status:
            self._responses.put_nowait(message)
            return
        self.came.append(message)
        self._requests.put_nowait(message)
        if message.method not in ("ACK", "INVITE", "CANCEL") and self.answers_with:
            self.answer(message, self.answers_with)


@asynccontextmanager
async def party(to: str, host: str = "127.0.0.1") -> AsyncIterator[Party]:
    """A party at `host` that calls `to` (host:port), and is called by it."""
    made = Party(to, host)
    await made.open()
    try:
        yield made
    finally:
        made.close()
