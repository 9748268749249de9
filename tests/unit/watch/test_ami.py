"""The AMI client, against a small server that speaks the protocol's bytes."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ari_app.settings import Settings
from ari_app.watch import ami
from ari_app.watch.ami import AmiError, EndpointState, endpoint_state

Serve = Callable[[dict[str, str]], str]

FOUND = """\
Response: Success
ActionID: {id}
EventList: start
Message: Following are Events for each object associated with the Endpoint

Event: IdentifyDetail
ActionID: {id}
ObjectName: carrier
Match: 127.0.0.1/255.255.255.255

Event: ContactStatusDetail
ActionID: {id}
URI: sip:127.0.0.1:5069
Status: Reachable

Event: EndpointDetailComplete
ActionID: {id}
EventList: Complete
ListItems: 2

"""


def answer(fields: dict[str, str], endpoint: str) -> str:
    """What Asterisk answers: a login with the right password, and the endpoint `carrier`."""
    identity = fields["actionid"]
    if fields["action"] == "Login":
        if fields["secret"] == "right":
            return f"Response: Success\nActionID: {identity}\nMessage: Authentication accepted\n\n"
        return f"Response: Error\nActionID: {identity}\nMessage: Authentication failed\n\n"
    if fields["endpoint"] == endpoint:
        return FOUND.format(id=identity)
    return f"Response: Error\nActionID: {identity}\nMessage: Unable to retrieve endpoint\n\n"


@contextmanager
def asterisk(is_silent: bool = False) -> Iterator[int]:
    """An AMI server; its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"Asterisk Call Manager/11.0.0\r\n")
            fields: dict[str, str] = {}
            for line in self.rfile:
                name, _, value = line.decode().strip().partition(": ")
                if name:
                    fields[name.lower()] = value
                elif fields and not is_silent:
                    self.wfile.write(answer(fields, "carrier").replace("\n", "\r\n").encode())
                    fields = {}

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def settings(home: Path, port: int, password: str = "right") -> Settings:
    """Settings whose AMI password is this."""
    (home / "secrets").mkdir()
    (home / "secrets" / "ami").write_text(password)
    return Settings(home, "sqlite:///", ami_port=port)


def test_an_endpoint_is_told_with_its_addresses_and_contacts(tmp_path: Path) -> None:
    with asterisk() as port:
        assert endpoint_state(settings(tmp_path, port), "carrier") == EndpointState(
            matches=("127.0.0.1",), contacts=("sip:127.0.0.1:5069 Reachable",)
        )


def test_an_endpoint_that_is_not_there_is_none(tmp_path: Path) -> None:
    with asterisk() as port:
        assert endpoint_state(settings(tmp_path, port), "nobody") is None


def test_a_wrong_password_is_an_error(tmp_path: Path) -> None:
    with asterisk() as port, pytest.raises(AmiError, match="refuses the user callrace"):
        endpoint_state(settings(tmp_path, port, "wrong"), "carrier")


def test_no_server_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AmiError, match=r"AMI does not answer on 127\.0\.0\.1:1"):
        endpoint_state(settings(tmp_path, 1), "carrier")


def test_a_silent_server_is_an_error_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ami, "TIMEOUT_S", 0.2)
    with asterisk(is_silent=True) as port, pytest.raises(AmiError, match=r"does not answer within 0\.2 s"):
        endpoint_state(settings(tmp_path, port), "carrier")
