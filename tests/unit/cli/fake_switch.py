"""A program that looks like a switch to the CLI: it holds the lock and answers on the control socket.

`python fake_switch.py serve|refuse|deaf`: it serves, or ends at once with a last word, or is never
connected to Asterisk.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

from ari_app.serving.running import only_switch
from ari_app.settings import Settings

STATUS = {
    "pid": os.getpid(),
    "started_at": "2026-11-23T10:00:00.000Z",
    "asterisk": "connected",
    "marketplace_version": None,
    "draining": False,
    "calls": 0,
    "unsaved_calls": 0,
    "capacity_in_use": {},
    "supervision": {
        "ami": "connected",
        "problem": "",
        "trunks": [],
        "registrations": {},
        "channels": 0,
        "phones": {},
        "stray_legs": 0,
    },
}


class Server(ThreadingMixIn, UnixStreamServer):
    """Answers /status and /live with what it was given."""

    daemon_threads = True

    def __init__(self, settings: Settings, status: dict[str, Any], live: list[dict[str, Any]]) -> None:
        answers = {"/status": status, "/live": live}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(answers[self.path]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def address_string(self) -> str:
                return "unix"

        super().__init__(str(settings.control_socket), Handler)

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def main(how: str) -> None:
    if how == "refuse":
        sys.exit("the last word")
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    settings = Settings.from_env()
    status = STATUS | ({"asterisk": "not connected"} if how == "deaf" else {})
    with only_switch(settings), Server(settings, status, []):
        print("deaf as ever" if how == "deaf" else "serving", flush=True)
        stopped.wait(60)
    settings.control_socket.unlink()


if __name__ == "__main__":
    main(sys.argv[1])
