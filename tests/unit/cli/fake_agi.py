"""A program that looks like an AGI server, or the web server, to the CLI: it holds the lock and takes connections."""

from __future__ import annotations

import signal
import socket
import sys

from ari_app.serving.running import Program, only
from ari_app.settings import Settings


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    settings = Settings.from_env()
    program: Program = "web" if "web" in sys.argv else "agi"
    port = settings.web.port if program == "web" else settings.agi_port
    with only(settings, program), socket.create_server(("127.0.0.1", port)) as server:
        while True:
            server.accept()[0].close()


if __name__ == "__main__":
    main()
