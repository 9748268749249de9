"""The protocol of one FastAGI connection: it reads the header, sets variables and checks the replies.

The grammar is pyst2's (`asterisk.agi.AGI`); nothing here reads or writes a socket. pyst2 trusts both sides: it waits
for ever for the end of a usage message, and it puts values between quotes without escaping. So pyst2 gets a reply only
when it is complete in one line, and a value only when no character of it is special to AGI, the dialplan or Dial().
"""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from asterisk.agi import AGI, AGIException

from ari_app.domain.basics.fields import PHONE_NUMBER
from ari_app.domain.calls import telephone
from ari_app.domain.calls.carrier import Invite, invite_of
from ari_app.domain.calls.dialplan_call import id_of_begun
from ari_app.domain.market.attestation import attestation_of
from ari_app.domain.market.shapes import Attestation

HEADER_LINES = 100  # Asterisk sends 21, and one more for each argument
COMMAND_BYTES = 2_000  # Asterisk's buffer for a command has 2,048
VALUE_CHARACTERS = 1_500  # for a value that could be of any length

_NAME = re.compile(r"[A-Z][A-Z_]{0,31}", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9 ._:;=@+/&-]*", re.ASCII)
_REPLY = re.compile(rb"200 result=\d{1,9}(?: \([^\r\n()]*\))?\n")


class ProtocolError(Exception):
    """The other side does not speak AGI as Asterisk does, or its call has ended."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the dialplan: `AGI(agi://host/SERVICE,DID,ANI,ATTESTATION,BEGAN,INVITE)`, or others.

    `unique_id` is Asterisk's id of the caller's channel. A number that is not in E.164 is None: as `did`, it is no
    tracking number; as `ani`, the caller is anonymous. With an INVITE, the numbers are those in it.
    """

    service: str
    arguments: tuple[str, ...]
    unique_id: str = ""

    @property
    def did(self) -> str | None:
        """The number called: the first argument."""
        return _number(self.arguments[0]) if self.arguments else None

    @property
    def ani(self) -> str | None:
        """The caller's number: the second argument."""
        return telephone.caller(self.arguments[1]) if len(self.arguments) > 1 else None

    @property
    def attestation(self) -> Attestation | None:
        """The carrier's STIR/SHAKEN attestation of the caller's number: the third argument, if given."""
        return attestation_of(self.arguments[2]) if len(self.arguments) > 2 else None

    @property
    def invite(self) -> Invite | None:
        """The INVITE, as the dialplan passes it on: the fifth argument, if given."""
        return invite_of(self.arguments[4]) if len(self.arguments) > 4 else None

    @property
    def began_at(self) -> int | None:
        """When the call began (ms): the fourth argument, if given."""
        return int(self.arguments[3]) if self.begun_id is not None else None

    @property
    def begun_id(self) -> str | None:
        """The call's id, if the dialplan has reported its beginning (fourth argument), and so will report its end."""
        try:
            return id_of_begun(self.arguments[3], self.unique_id)
        except (IndexError, ValueError):
            return None


class Conversation:
    """One connection's protocol. It must be made in the main thread, as pyst2 installs a signal handler."""

    def __init__(self, header: bytes) -> None:
        """Reads a complete header. Raises ProtocolError when it is not a header that Asterisk sends."""
        if header.count(b"\n") > HEADER_LINES or not header.startswith(b"agi_network: yes\n"):
            raise ProtocolError("the header is not a FastAGI header")
        self._said = io.StringIO()
        before = signal.getsignal(signal.SIGHUP)
        self._agi = AGI(io.StringIO(header.decode(errors="replace")), self._said, _Nowhere())
        signal.signal(signal.SIGHUP, before)  # SIGHUP concerns this process, not a call

    @property
    def request(self) -> Request:
        """The request in the header."""
        env: dict[str, str] = self._agi.env
        arguments: list[str] = []
        while (name := f"agi_arg_{len(arguments) + 1}") in env:
            arguments.append(env[name])
        return Request(env.get("agi_network_script", ""), tuple(arguments), env.get("agi_uniqueid", ""))

    def set_variables(self, variables: Mapping[str, str]) -> bytes:
        """The command that sets channel variables: one for all of them, as each command costs a round trip.

        Raises ValueError when a value would need quoting, or when the command is too long.
        """
        for name, value in variables.items():
            if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
                raise ValueError(f"{name}: {value!r} cannot be the value of a channel variable")
        assignments = ",".join(f"{name}={value}" for name, value in variables.items())
        self._agi.send_command("EXEC", "MSet", f'"{assignments}"')
        command = self._said.getvalue().encode()
        if len(command) > COMMAND_BYTES:
            raise ValueError(f"{len(command)} bytes are too long for a command")
        return command

    def check(self, reply: bytes) -> None:
        """Raises ProtocolError unless the reply says that the command was carried out."""
        if not _REPLY.fullmatch(reply):
            raise ProtocolError(f"the reply is {reply[:80]!r}")
        self._agi.stdin = io.StringIO(reply.decode(errors="replace"))
        try:
            self._agi.get_result()
        except AGIException as error:
            raise ProtocolError(f"the call is gone: {error}") from error


class _Nowhere:
    """Takes pyst2's debugging output, which has every line and every caller's number, and drops it."""

    def write(self, text: str) -> None:
        """Drops the text."""


def _number(text: str) -> str | None:
    return text if PHONE_NUMBER.fullmatch(text) else None
